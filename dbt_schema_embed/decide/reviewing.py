"""What `review` works on: the open columns of each source table, and decisions that are saved one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dbt_schema_embed.decide.mappings import load_mappings, owners
from dbt_schema_embed.decide.signing import signature
from dbt_schema_embed.errors import ConfigError, SchemaEmbedError, printable
from dbt_schema_embed.files import shown_path
from dbt_schema_embed.records import LIKELY, Column, Opened, Relation, Suggestion, Suggestions, Unfed
from dbt_schema_embed.sensitive import hidden

if TYPE_CHECKING:
    from dbt_schema_embed.decide.rows import Decision
    from dbt_schema_embed.write.rewrite import Rewrite

FOUND = 9
"""Answers that a search lists."""

OTHERS = 5
"""Candidates beside the answer that a column is shown with: what fits on 24 lines."""

_EXAMPLES, _EXAMPLE = 3, 24

_Decided = Literal["accepted", "rejected"]
State = Literal["open", "nothing"] | _Decided
"""Nothing: said with confidence and by nobody; it counts as no open question."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer: a model column, by the names the mapping files use."""

    model: str
    column: str
    type: str = ""
    confidence: float | None = None

    @property
    def name(self) -> str:
        """The two as people read them."""
        return printable(f"{self.model}.{self.column}", 120)


@dataclass(slots=True)
class Item:
    """A source column that somebody has to decide about."""

    source: str  # "stripe.charges"
    path: Path  # its mapping file
    column: str
    type: str
    description: str
    examples: str = field(repr=False)  # some of its values, for the screen alone
    answer: Choice | None  # None: it maps to nothing
    sureness: str  # "0.97 certain"
    confidence: float
    reason: str
    evidence: str
    candidates: tuple[Choice, ...]  # beside the answer, best first
    state: State = "open"
    note: str = ""
    undecided: bool = False
    foreign: frozenset[str] = frozenset()  # models that other sources feed

    @property
    def others(self) -> tuple[Choice, ...]:
        """The candidates that a column is shown with."""
        return self.candidates[:OTHERS]


@dataclass(frozen=True, slots=True)
class _Undo:
    """A decision in one file, or in none, and how its columns were before."""

    done: "Rewrite | None"
    items: tuple[tuple[Item, Choice | None, State, str, str], ...]

    @classmethod
    def of(cls, items: Sequence[Item], done: "Rewrite | None" = None) -> "_Undo":
        """How ``items`` are now."""
        return cls(done, tuple((i, i.answer, i.state, i.note, i.sureness) for i in items))


class Review:
    """The columns of each source table: undecided ones first, then the most doubtful, then those that are settled.

    Each decision is in its file on return. ``unfed`` are planned columns that nothing feeds, required ones first.
    """

    def __init__(
        self, items: Sequence[Item], choices: Sequence[Choice], root: Path, unfed: Sequence[Choice] = ()
    ) -> None:
        self.items = tuple(items)
        self._wanted = tuple(unfed)
        self._choices = choices
        self._names = [_plain(f"{c.model} {c.column}") for c in choices]
        self._root = root
        self._undo: list[list[_Undo]] = []  # the last decision last; one may be about several files

    def accept(self, item: Item, choice: Choice | None = None) -> None:
        """Accept the answer of ``item``, or ``choice`` in its place. Nothing, accepted, stays nothing for good.

        Raises:
            MappingError, WriteError: the file was edited or removed meanwhile; nothing has changed.
        """
        self._decide([item], "accepted", choice)

    def reject(self, item: Item) -> None:
        """Reject the answer of ``item``: it will not be suggested again.

        Raises:
            ConfigError: the answer is that it maps to nothing, which another answer mends, and no rejection.
            As `accept`.
        """
        if item.answer is None:
            raise ConfigError("there is no suggestion to reject: choose an answer, or accept that it maps to nothing")
        self._decide([item], "rejected", None)

    @property
    def unfed(self) -> tuple[Choice, ...]:
        """Planned columns that nothing feeds as things stand."""
        fed = {(i.answer.model, i.answer.column) for i in self.items if i.answer and i.state != "rejected"}
        return tuple(c for c in self._wanted if (c.model, c.column) not in fed)

    def unfed_of(self, item: Item) -> tuple[tuple[Choice, ...], int]:
        """What nothing feeds in the models that the table of ``item`` feeds, and how many columns in all others."""
        homes = {i.answer.model for i in self.items if i.source == item.source and i.answer and i.state != "rejected"}
        mine = tuple(c for c in self.unfed if c.model in homes)
        return mine, len(self.unfed) - len(mine)

    def above(self, minimum: float, source: str) -> list[Item]:
        """The open answers of one source table with a confidence of ``minimum`` or more.

        Those that lead into another source's model are left out: each has a question of its own.
        """
        mine = (i for i in self.items if i.source == source and i.state == "open" and i.confidence >= minimum)
        return [i for i in mine if i.answer is not None and i.answer.model not in i.foreign]

    def accept_above(self, minimum: float, source: str) -> int:
        """Accept what `above` lists; how many.

        Raises as `accept`; what was saved in other files before that is decided, and `undo` takes it back.
        """
        some = self.above(minimum, source)
        if some:
            self._decide(some, "accepted", None, minimum=minimum)
        return len(some)

    def reopen(self, item: Item) -> None:
        """Open a settled column again. Raises as `accept`."""
        if item.state == "nothing":
            self._undo.append([_Undo.of([item])])
            item.state = "open"
        elif item.state != "open":
            self._decide([item], "suggested", None)

    def annotate(self, item: Item, note: str) -> None:
        """Keep a note about ``item``; "" removes it. Raises as `accept`."""
        self._decide([item], None, None, note)

    def undo(self) -> tuple[Item, ...]:
        """Take the last decision back, its rows alone: what others wrote since stays.

        The columns it was about; none when there is no decision.

        Raises:
            ConfigError: one of its columns was decided about again meanwhile; that file and it stay as they are.
            MappingError, WriteError: its file cannot be read or written.
        """
        from dbt_schema_embed.decide.rows import take_back
        from dbt_schema_embed.write.rewrite import written

        if not self._undo:
            return ()
        taken: list[Item] = []
        parts = self._undo.pop()
        try:
            while parts:
                if done := parts[-1].done:
                    written(partial(take_back, done.path, done, shown=done.shown), self._root)
                for item, answer, state, note, sureness in parts.pop().items:
                    item.answer, item.state, item.note, item.sureness = answer, state, note, sureness
                    taken.append(item)
        except ConfigError:  # that part cannot be taken back any more: the next undo is about the one before
            parts.pop()
            raise
        finally:
            if parts:
                self._undo.append(parts)
        return tuple(taken)

    def find(self, words: str, item: Item) -> tuple[Choice, ...]:
        """At most `FOUND` model columns with names nearest to ``words``.

        Of no words: what nothing feeds in the models that the table feeds, then the candidates of ``item``.
        """
        wanted = _plain(words)
        homes = {i.answer.model for i in self.items if i.source == item.source and i.answer}
        homes = homes or {c.model for c in item.candidates[:1]}
        unfed = {(c.model, c.column): c for c in self.unfed if c.model in homes}
        if not wanted:
            return (*unfed.values(), *(c for c in item.candidates if (c.model, c.column) not in unfed))[:FOUND]
        from rapidfuzz import fuzz, process

        def rank(found: tuple[str, float, int]) -> tuple[int, int, bool, bool, float, int]:
            text, score, at = found
            choice = self._choices[at]
            jumps = [_jumps(part, _plain(choice.column), text) for part in wanted.split()]
            missing, away = jumps.count(None), choice.model not in homes
            taken = (choice.model, choice.column) not in unfed
            return missing, sum(j or 0 for j in jumps) + 2 * away, away, taken, -score, at

        nearest = process.extract(wanted, self._names, scorer=fuzz.WRatio, limit=None)
        return tuple(self._choices[at] for _, _, at in sorted(nearest, key=rank)[:FOUND])

    def _decide(
        self,
        items: Sequence[Item],
        status: Literal["suggested"] | _Decided | None,
        choice: Choice | None,
        note: str | None = None,
        minimum: float | None = None,
    ) -> None:
        from dbt_schema_embed.decide.rows import decide
        from dbt_schema_embed.write.rewrite import written

        signed = signature(self._root, minimum)
        plans = []
        for path, group in groupby(sorted(items, key=lambda i: i.path), key=lambda i: i.path):
            some = list(group)
            decisions = [d for item in some for d in _decisions(item, status, choice, note, signed)]
            plan = partial(decide, path, decisions, shown=shown_path(self._root, path))
            plan()  # every file is worked out before the first one is written
            plans.append((plan, some))
        parts: list[_Undo] = []
        for plan, some in plans:
            try:
                done = written(plan, self._root)
            except SchemaEmbedError as problem:
                if parts:
                    saved = sum(len(part.items) for part in parts)
                    problem.hint = f"{saved} in other files are saved; undo takes them back"
                raise
            parts.append(_Undo.of(some, done))
            if len(parts) == 1:
                self._undo.append(parts)
            for item in some:
                item.answer = choice or item.answer
                item.state = "open" if status == "suggested" else status or item.state
                item.sureness = {"suggested": "open again", None: item.sureness}.get(status, status or "")
                item.note = item.note if note is None else note


def _decisions(
    item: Item,
    status: Literal["suggested"] | _Decided | None,
    choice: Choice | None,
    note: str | None,
    signed: tuple[str, str],
) -> Iterator["Decision"]:
    from dbt_schema_embed.decide.rows import Decision

    def about(answer: Choice | None, status: Literal["suggested"] | _Decided | None, *, also: bool = False) -> Decision:
        model, column = (answer.model, answer.column) if answer else (None, None)
        return Decision(item.column, status, model, column, note, also=also, by=signed[0], at=signed[1])

    moves = choice is not None and item.state == "accepted"
    if moves:
        yield about(
            item.answer, "suggested"
        )  # opened again, so that this row takes the other answer, and no other does
    yield about(choice or item.answer, status, also=moves)


def review_of(opened: Opened, answer: Suggestions, mappings_dir: str) -> Review:
    """The rows of ``answer`` that the mapping files hold and that SQL does not settle."""
    from dbt_schema_embed.lookup import model_names

    relations = {r.id: r for r in opened.project.relations}
    names = model_names(opened.project.relations)
    choices = [
        Choice(names[r.id], c.name, printable(c.type or "", 30))
        for r in opened.project.relations
        if r.kind == "model"
        for c in r.columns
    ]
    types = {(c.model, c.column): c.type for c in choices}
    homes = owners(opened, load_mappings(opened.root, mappings_dir))
    foreign = _foreign(opened.project.relations, names)
    items = [
        _item(row, relations[row.source], homes[row.source][0], homes[row.source][1].source, names, types, foreign)
        for row in sorted(answer.rows, key=_urgency)
        if row.source in homes and row.status != "existing"
    ]
    unfed = [Choice(names.get(u.model, u.model), u.model_column) for u in sorted(answer.unfed, key=_most_wanted)]
    unfed = [replace(c, type=types.get((c.model, c.column), "")) for c in unfed]
    return Review(items, choices, opened.root, unfed)


def _urgency(row: Suggestion) -> tuple[str, int, float]:
    """The order of a review: by table, what is undecided, what is doubtful, what is settled."""
    return row.source, 0 if row.undecided else 1 if _state(row) == "open" else 2, row.confidence


def _most_wanted(unfed: Unfed) -> tuple[bool, str, str]:
    return not unfed.required, unfed.model, unfed.model_column


def _state(row: Suggestion) -> State:
    if row.status in ("accepted", "rejected"):
        return "accepted" if row.status == "accepted" else "rejected"
    return "nothing" if row.answer == "nothing" and row.confidence >= LIKELY else "open"


def _foreign(relations: Sequence[Relation], names: dict[str, str]) -> dict[str, frozenset[str]]:
    """Source -> the models that come from other sources alone, or whose names say so: ``stg_<source>__...``."""
    sources = {r.id: r.source_name for r in relations if r.kind == "source"}
    every, parents = set(sources.values()), {r.id: r.parents for r in relations}
    homes: dict[str, set[str]] = {}
    for model in (r for r in relations if r.kind == "model"):
        front, seen = [model.id], {model.id}
        while front:
            new = {p for p in parents.get(front.pop(), ()) if p not in seen}
            front += new
            seen |= new
        read = {sources[i] for i in seen & sources.keys()}
        named = {s for s in every if f"_{s}__".lower() in f"_{model.name}".lower()}
        homes[names.get(model.id, model.name)] = read or named
    return {s: frozenset(name for name, home in homes.items() if home and s not in home) for s in every}


def _item(
    row: Suggestion,
    relation: Relation,
    path: Path,
    source: str,
    names: dict[str, str],
    types: dict[tuple[str, str], str],
    foreign: dict[str, frozenset[str]],
) -> Item:
    from dbt_schema_embed.show.words import evidence_words, reason, sureness

    column = relation.column(row.source_column) or Column(row.source_column)
    known = [Choice(names.get(c.model, c.model), c.model_column, "", c.confidence) for c in row.candidates]
    choices = [replace(c, type=types.get((c.model, c.column), "")) for c in known]
    answer = None
    if row.model is not None and row.model_column is not None:
        pair = names.get(row.model, row.model), row.model_column
        answer = Choice(*pair, types.get(pair, ""), row.confidence)
    return Item(
        source=printable(source),
        path=path,
        column=row.source_column,
        type=printable(column.type or "", 40),
        description=printable(column.description, 300),
        examples=_examples(column),
        answer=answer,
        sureness=sureness(row),
        confidence=row.confidence,
        reason=reason(row),
        evidence=evidence_words(row.evidence),
        state=_state(row),
        note=row.note,
        undecided=row.undecided,
        foreign=foreign.get(relation.source_name, frozenset()),
        candidates=tuple(c for c in choices if answer is None or (c.model, c.column) != (answer.model, answer.column)),
    )


def _examples(column: Column) -> str:
    return ", ".join(printable(hidden(value), _EXAMPLE) for value in column.values[:_EXAMPLES] if value.strip())


def _plain(text: str) -> str:
    """Words in lower case without punctuation."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def _jumps(part: str, column: str, text: str) -> int | None:
    """How far the letters of ``part`` stand apart in ``column``; None where they do not all stand there, in order.

    A letter that follows the one before counts 0, one that begins a word 1, any other 2; what stands in ``text``
    alone, which has the model's name as well, 3.
    """
    ends = {-1: 0}  # where the last letter may stand -> jumps so far
    for letter in part:
        ends = {
            at: min(n + (at > last + 1) * (1 + (column[at - 1] != " ")) for last, n in ends.items() if last < at)
            for at, found in enumerate(column)
            if found == letter and at > min(ends)
        }
        if not ends:
            return 3 if part in text else None
    return min(ends.values())
