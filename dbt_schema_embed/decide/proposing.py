"""An agent's answer for one source column: checked against what is known, and kept as a proposal for a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dbt_schema_embed.casts import fit
from dbt_schema_embed.decide.mappings import Pair, load_mappings, owners, proposed_row, without_answer
from dbt_schema_embed.errors import ConfigError, near_hint, printable
from dbt_schema_embed.files import shown_path
from dbt_schema_embed.lookup import source_column
from dbt_schema_embed.records import Column, MappingFile, Opened, Relation, Suggestion, rounded
from dbt_schema_embed.types import type_family

AGENT = "agent"
"""Who proposes, in mapping files."""

REASON = 200
"""Most characters of a reason that are kept."""

SURE = 0.9
"""From this confidence on an answer is not asked about, and TRUST is how often an agent is taken to be right. With both
F1 was best in "Agents" of benchmarks/RESULTS.md."""

TRUST = 0.9
_UNLIKELY = 0.01  # what a candidate that we hold for less is taken to be worth


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an agent says of one source column. ``target`` ("stg_stripe__charges.charge_id") None: it feeds nothing."""

    column: str  # "stripe.charges.id"
    target: str | None
    why: str


def worth_asking(rows: Iterable[Suggestion]) -> list[Suggestion]:
    """The rows that deserve a second look, undecided and most doubtful ones first: nobody has answered them."""
    asked = (r for r in rows if r.candidates and r.status == "suggested" and not r.decided_by)
    return sorted(
        (r for r in asked if r.undecided or r.confidence < SURE), key=lambda r: (not r.undecided, r.confidence)
    )


def believed(row: Suggestion, pair: Pair | None) -> bool:
    """Whether somebody who is right `TRUST` of the time, and says ``pair`` (None: nothing), is likelier right than we.

    By Bayes' rule: our confidences are what was likely before, and who errs says any other answer as often.
    """
    ours: dict[Pair | None, float] = {(c.model, c.model_column): c.confidence for c in row.candidates}
    if row.model is not None and row.model_column is not None:
        ours[row.model, row.model_column] = row.confidence
    ours[None] = row.confidence if row.answer == "nothing" else 1 - max(ours.values(), default=0.0)
    if pair not in ours:  # what was no candidate may be anything
        return row.confidence < SURE
    error = (1 - TRUST) / max(1, len(ours) - 1)
    weights = {answer: max(sure, _UNLIKELY) * (TRUST if answer == pair else error) for answer, sure in ours.items()}
    return 2 * weights[pair] >= sum(weights.values())


def keep_proposal(
    opened: Opened, mappings_dir: str, rows: Sequence[Suggestion], said: Proposal
) -> tuple[Path, tuple[Suggestion, ...]]:
    """Write a proposal into the mapping file of its table, which must be there; the file, and the rows it changes.

    ``rows`` are the table's answers as they stand. It stays a suggestion: only a person accepts. Where the model column
    was suggested for another column, that one is undecided now.

    Raises:
        ConfigError: an unknown name, no reason, or an answer that cannot be: a person or the SQL has decided already,
            the model column is taken, no cast leads to its type, ours is far likelier.
        MappingError, WriteError: the file cannot be read or written.
    """
    from dbt_schema_embed.decide.rows import Decision, decide
    from dbt_schema_embed.lookup import model_names
    from dbt_schema_embed.write.rewrite import written

    source, name = source_column(opened.project, said.column)
    why = printable(" ".join(said.why.split()), REASON)
    if not why:
        raise ConfigError("a proposal needs a reason", hint="say in a sentence what it follows from")
    mappings = load_mappings(opened.root, mappings_dir)
    path, _ = owners(opened, mappings)[source.id]
    row = next(r for r in rows if r.source_column == name)
    _check_open(row)
    names = model_names(opened.project.relations)
    pair: tuple[str | None, str | None] = (None, None)
    place: Pair | None = None
    if said.target is not None:
        model, target = _target(opened, names, said.target)
        _check_pair(source, name, model, target, rows, names)
        pair, place = (names[model.id], target), (model.id, target)
    if not believed(row, place):
        ours = f"{names[row.model]}.{row.model_column}" if row.model else "nothing"
        raise ConfigError(
            f"{printable(ours)} is likelier here, with a confidence of {rounded(row.confidence):.2f}",
            hint="leave it; tell the user if you are sure",
        )
    day = datetime.now(UTC).date().isoformat()
    reason = f"{AGENT}: {why}"
    decision = Decision(name, "suggested", *pair, by=AGENT, at=day, reason=reason)

    def decisions(file: MappingFile) -> list[Decision]:
        _check_file(file, name, pair)  # as it is now: a person may have decided meanwhile
        return [decision]

    written(partial(decide, path, decisions, shown=shown_path(opened.root, path)), opened.root)
    freed = (r for r in rows if place and r is not row and (r.model, r.model_column) == place)
    return path, (proposed_row(row, place, AGENT, reason), *map(without_answer, freed))


def _check_file(file: MappingFile, name: str, pair: tuple[str | None, str | None]) -> None:
    """Raises ConfigError: a person has accepted an answer for the column, or rejected this one."""
    mine = [row for row in file.columns if name.lower() in map(str.lower, row.source_columns)]
    if any(row.status == "accepted" for row in mine):
        raise ConfigError("a person has decided about this column", hint="ask them to reopen it")
    if any(row.status == "rejected" and row.pair == pair for row in mine):
        raise ConfigError("a person has rejected this answer", hint="propose another one, or nothing")


def _check_open(row: Suggestion) -> None:
    if row.status == "accepted":
        raise ConfigError("a person has decided about this column", hint="ask them to reopen it")
    if row.status == "existing":
        raise ConfigError("the SQL of the project answers this column already", hint="leave it")


def _target(opened: Opened, names: dict[str, str], said: str) -> tuple[Relation, str]:
    """The model and the column that "model.column" names; either may have dots in it.

    Raises:
        ConfigError: there is none; the message names a near one.
    """
    models = {names[r.id].lower(): r for r in opened.project.relations if r.id in names}
    models |= {r.id.lower(): r for r in opened.project.relations if r.id in names}
    dots = [i for i, letter in enumerate(said) if letter == "."]
    meant = [(models[said[:i].lower()], said[i + 1 :]) for i in dots if said[:i].lower() in models]
    for model, column in meant:
        if found := model.column(column):
            return model, found.name
    if not meant:
        hint = near_hint(said.rpartition(".")[0] or said, list(names.values())) or "write it as model.column"
        raise ConfigError(f"the project has no model column {printable(said)!r}", hint=hint)
    model, column = meant[0]
    hint = near_hint(column, [c.name for c in model.columns])
    raise ConfigError(f"{names[model.id]} has no column {printable(column)!r}", hint=hint)


def _check_pair(
    source: Relation,
    name: str,
    model: Relation,
    target: str,
    rows: Sequence[Suggestion],
    names: dict[str, str],
) -> None:
    """Raises ConfigError: the model column is another's, or the types do not fit."""
    for row in rows:
        holds = row.status in ("accepted", "existing") or bool(row.decided_by)
        if row.source_column != name and (row.model, row.model_column) == (model.id, target) and holds:
            raise ConfigError(
                f"{names[model.id]}.{printable(target)} is taken by {printable(row.source_column)}",
                hint="one column feeds it: propose another one, or nothing",
            )
    left, right = source.column(name), model.column(target)
    if left and right and not joins(left, right):
        raise ConfigError(
            f"no cast leads from {printable(left.type)} to {printable(right.type)}",
            hint="propose another one, or nothing",
        )


def joins(source: Column, target: Column) -> bool:
    """Whether a cast may lead from one column to the other; where a type is not known, yes."""
    left, right = type_family(source.type), type_family(target.type)
    return left is None or right is None or fit(left, right) != "impossible"
