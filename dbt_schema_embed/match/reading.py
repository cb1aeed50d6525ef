"""Names read in English: which language or system a table speaks, and what its columns' names mean.

A column gets some readings, each a tuple of English words; where the name is plain English already the first reading
is its own words. How much of a name could be read is its legibility.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, NamedTuple

from dbt_schema_embed.match.beginnings import without_beginning, without_types
from dbt_schema_embed.match.glued import ENGLISH, cut
from dbt_schema_embed.match.knowledge import Knowledge, Origin, fold, knowledge
from dbt_schema_embed.match.names import entity
from dbt_schema_embed.match.phrases import Words, joined, phrase_words
from dbt_schema_embed.match.spoken import best_cover
from dbt_schema_embed.records import Relation
from dbt_schema_embed.words import words

if TYPE_CHECKING:
    from dbt_schema_embed.match.kept_readings import KeptReadings

Known = Callable[[Words], bool]
Cut = Literal["never", "late", "always"]

MOST = 4
"""Readings of one name that are kept."""
_HEARD, _TABLES_HEARD = 120, 40
"""Columns of a table that its language is heard from, and tables of a source."""
_ENGLISH_ENOUGH, _ENGLISH_MOSTLY = 0.85, 0.5
"""Share of a table's letters that English explains from which glued words are not cut to hear another language, and
from which they are first tried in English."""
RUN = 6
"""Words of a phrase that is looked up."""
CUT_OFF = 4
"""Letters from which a piece may be the beginning of a longer word."""
_ENDING, _STEM = 2, 5
"""Letters that a word's ending has at most, and that are left without it at least."""
_VOWELS = frozenset("aeiouy")
_SMALL = frozenset({"after", "and", "at", "before", "by", "for", "from", "in", "no", "not", "of", "on", "or", "over",
                    "per", "to", "under", "until", "with"})  # fmt: skip
"""What words of two letters mean that a glued word seldom has in it, but many words by chance: ``zarazeni``."""


class Part(NamedTuple):
    """A piece of a name."""

    text: str  # folded
    meanings: tuple[str, ...]  # English phrases, likeliest first; itself where it is not known
    origin: Origin | None = None  # of the first meaning; None: a word of the models or plain English, or not known
    known: bool = True


@dataclass(frozen=True)
class Reading:
    """What one column's name says."""

    variants: tuple[Words, ...]  # English words, likeliest first; at least one
    parts: tuple[Part, ...]  # of the first
    legible: float  # share of the letters that are understood, in [0, 1]
    translated: bool  # the first variant says something else than the words as they stand


@dataclass(frozen=True)
class TableReading:
    """What a relation's columns' names say, in their order."""

    columns: tuple[Reading, ...]
    cores: tuple[Words, ...]  # the words of each name without a beginning that the table shares
    origins: tuple[str, ...]  # languages and systems that it speaks, beside English
    about: tuple[Words, ...]  # readings of the table's own name

    @property
    def texts(self) -> tuple[str, ...]:
        """What each name says in plain English, for an encoder that knows nothing else; "" where it is plain
        already."""
        return tuple(" ".join(c.variants[0]) if c.translated else "" for c in self.columns)


@dataclass
class Reader:
    """Reads names with a dictionary, and with the words that the project's models use."""

    knowledge: Knowledge
    vocabulary: Collection[str] = frozenset()  # words of the models' names: English or not, they need no translation
    _cuts: dict[tuple[str, frozenset[int]], tuple[Part, ...]] = field(default_factory=dict)
    _prices: dict[frozenset[int], dict[str, float]] = field(default_factory=dict)
    _heard: dict[str, dict[int, dict[str, float]]] = field(default_factory=dict)
    _columns: dict[tuple[int, ...], dict[tuple[Words, Words], Reading]] = field(default_factory=dict)

    def read(self, relation: Relation, beside: Sequence[Relation] = ()) -> TableReading:
        """``relation`` read; ``beside``: tables of the same source, which mostly speak the same language."""
        names = [c.name for c in relation.columns]
        tokens = [words(n) for n in names]
        cores = without_beginning(without_types(tokens, relation.columns))
        about = entity(relation.name)
        spoken = self._spoken(relation, tokens, cores, beside)
        active = frozenset(spoken) | self._english | self.knowledge.numbers["guess"]
        ranked = self._ranking(spoken)
        known = self._columns.setdefault(tuple(spoken), {})  # a project's tables have many names in common
        for name in (*zip(tokens, cores, strict=True), (about, about)):
            if name not in known:
                known[name] = self._column(*name, active, ranked)
        readings = tuple(known[name] for name in zip(tokens, cores, strict=True))
        table = known[about, about]
        return TableReading(
            readings, tuple(cores), tuple(self.knowledge.origins[o].name for o in spoken), table.variants
        )

    @property
    def _english(self) -> frozenset[int]:
        return self.knowledge.numbers["english"] | self.knowledge.numbers["glossary"]

    def _ranking(self, spoken: Sequence[int]) -> dict[int, int]:
        """Origin -> how early its meanings stand: glossary, systems, languages, English."""
        numbers = self.knowledge.numbers
        order = [*sorted(numbers["glossary"]), *(o for o in spoken if o in numbers["system"])]
        order += [*(o for o in spoken if o not in numbers["system"]), *sorted(numbers["english"])]
        return {origin: place for place, origin in enumerate(order)}

    # -- which languages and systems ------------------------------------------------------------------------------

    def _spoken(
        self, relation: Relation, tokens: Sequence[Words], cores: Sequence[Words], beside: Sequence[Relation]
    ) -> list[int]:
        own = self._languages(relation)
        rest = self._beside(beside) if len(beside) > 1 else {}
        return [*self._systems(relation, tokens, cores), *best_cover(own, rest)]

    def _languages(self, relation: Relation) -> dict[int, dict[str, float]]:
        """Language -> the pieces of a table's names that are its words, and how much each says."""
        known = self._heard.get(relation.id)
        if known is not None:
            return known
        languages = self.knowledge.numbers["language"]
        active = languages | self.knowledge.numbers["english"]
        found = self._heard[relation.id] = defaultdict(dict)
        names = [words(c.name) for c in relation.columns[:_HEARD]]
        said = [w for name in names for w in name]
        english_letters = sum(len(w) for w in said if w in self.vocabulary or self._is_english(w))
        share = english_letters / max(1, sum(map(len, said)))
        cut: Cut = "never" if share >= _ENGLISH_ENOUGH else "late" if share >= _ENGLISH_MOSTLY else "always"
        names.append(entity(relation.name))
        for part in dict.fromkeys(p for name in names for p in self._pieces(name, active, cut)):
            spoken = [s.origin for s in self.knowledge.senses(part) if s.origin in languages]
            if not spoken:
                continue
            worth = (0.1 if len(part) < 3 else 0.4 if len(part) == 3 else 1.0) if part.isascii() else 1.0
            plain = part in self.vocabulary or self._is_english(part)
            for origin in spoken:
                found[origin][part] = worth * (0.15 if plain else 1.0)
        return found

    def _beside(self, tables: Sequence[Relation]) -> dict[int, dict[str, float]]:
        """The same of the tables of a source together, each piece counted once."""
        key = "\n" + tables[0].source_name
        known = self._heard.get(key)
        if known is None:
            known = self._heard[key] = defaultdict(dict)
            for table in tables[:_TABLES_HEARD]:
                for origin, found in self._languages(table).items():
                    known[origin] |= found
        return known

    def _is_english(self, word: str) -> bool:
        english = self.knowledge.numbers["english"]
        return word in self.knowledge.plain or any(s.origin in english for s in self.knowledge.senses(word))

    def _pieces(self, name: Words, active: frozenset[int], cut: Cut) -> list[str]:
        """The words and pieces of a name. ``cut``: glued words are cut; "late": those that English does not explain."""
        out = []
        for start, end in _runs(name, lambda run: self._run_known(run, active)):
            key = "".join(name[start:end])
            if self._known(key, active) or key in self.knowledge.plain or len(key) < _uncut(key):
                out.append(key)
            elif cut == "always" or (cut == "late" and not all(p.known for p in self._cut(key, self._english)[:1])):
                out += [p.text for p in self._cut(key, active) if p.known]
        return out

    def _systems(self, relation: Relation, tokens: Sequence[Words], cores: Sequence[Words]) -> list[int]:
        systems = self.knowledge.numbers["system"]
        hits: dict[int, float] = defaultdict(float)
        for full, core in zip(tokens, cores, strict=True):
            seen: dict[int, float] = {}
            for key in {fold("".join(full)), fold("".join(core))}:
                senses = self.knowledge.senses(key)
                having = [s.origin for s in senses if s.origin in systems]
                plain = key in self.vocabulary or self._is_english(key)
                for origin in having:
                    seen[origin] = max(seen.get(origin, 0.0), (0.3 if plain else 1.0) / len(having) ** 0.5)
            for origin, score in seen.items():
                hits[origin] += score
        table = fold(relation.name)
        for sense in self.knowledge.senses(table):
            if sense.origin in systems and sense.origin in hits:
                hits[sense.origin] += 1.5
        least = max(2.0, 0.2 * len(tokens))
        best = sorted((o for o, score in hits.items() if score >= least), key=lambda o: (-round(hits[o], 6), o))[:3]
        return [origin for origin in best if hits[origin] >= 0.5 * hits[best[0]]]

    # -- one name -------------------------------------------------------------------------------------------------

    def _column(self, full: Words, core: Words, active: frozenset[int], ranked: Mapping[int, int]) -> Reading:
        parts = self._parts(core, active, ranked)
        variants = dict.fromkeys(_variants(parts))
        if core != full:
            whole = self._parts(full, active, ranked)
            if len(whole) == 1 and whole[0].origin and len(full) > 1:  # the whole name is a word of its own
                parts, variants = whole, dict.fromkeys([*_variants(whole), *variants])
            else:
                variants |= dict.fromkeys(_variants(whole)[:1])
        letters = sum(len(p.text) for p in parts)
        known = sum(len(p.text) for p in parts if p.known)
        some = tuple(variants)[:MOST] or ((),)
        return Reading(some, tuple(parts), known / letters if letters else 0.0, some[0] != full)

    def _parts(self, name: Words, active: frozenset[int], ranked: Mapping[int, int]) -> list[Part]:
        found: list[Part] = []
        for start, end in _runs(name, lambda run: self._run_known(run, active)):
            key = "".join(fold(w) for w in name[start:end])
            plain = key in self.vocabulary or key in self.knowledge.plain
            if end - start > 1 or plain or self._known(key, active):
                found.append(self._part(key, active, ranked))
            else:
                pieces = (
                    self._cut(key, active) if len(key) >= _uncut(key) else (Part(key, (key,), known=key.isdigit()),)
                )
                found += [self._part(p.text, active, ranked) if p.known else self._cut_off(p, active) for p in pieces]
        return found

    def _cut_off(self, part: Part, active: frozenset[int]) -> Part:
        """An unknown piece as the beginning of a word of the table's languages, where few begin so: ``bonif``, or as
        such a word with another ending: ``putovnice``."""
        languages = active & self.knowledge.numbers["language"]
        if not languages or len(part.text) < CUT_OFF or any(c.isdigit() for c in part.text):
            return part
        senses = next(filter(None, (self.knowledge.begun(start, languages) for start in _starts(part.text))), ())
        if not senses:
            return part
        meanings = tuple(m for s in senses for m in s.meanings)
        return Part(part.text, meanings, self.knowledge.origins[senses[0].origin])

    def _run_known(self, run: Words, active: frozenset[int]) -> bool:
        """A letter that stands apart is no part of a language's word: ``f_alta`` is no ``falta``, but ``e_mail`` is
        English."""
        lone = any(len(w) == 1 and w.isascii() and w.isalpha() for w in run)
        return self._known("".join(run), active - self.knowledge.numbers["language"] if lone else active)

    def _known(self, key: str, active: frozenset[int]) -> bool:
        return any(s.origin in active for s in self.knowledge.senses(fold(key)))

    def _part(self, key: str, active: frozenset[int], ranked: Mapping[int, int]) -> Part:
        senses = sorted(
            (s for s in self.knowledge.senses(key) if s.origin in active), key=lambda s: ranked.get(s.origin, 99)
        )
        meanings = dict.fromkeys(m for s in senses for m in s.meanings)
        plain = key in self.vocabulary or key in self.knowledge.plain
        if not meanings:
            return Part(key, (key,), known=plain or key.isdigit())
        # a word of the language is called so, though the system has it too
        same = [s for s in senses if senses[0].meanings[0] in s.meanings]
        languages = self.knowledge.numbers["language"]
        origin = self.knowledge.origins[next((s for s in same if s.origin in languages), senses[0]).origin]
        if plain and origin.kind == "english":
            return Part(key, tuple(dict.fromkeys([key, *meanings])), origin)
        return Part(key, (*meanings, key) if plain else tuple(meanings), origin)

    def _cut(self, word: str, active: frozenset[int]) -> tuple[Part, ...]:
        """A glued word cut into known pieces where these make up most of it; else itself, not known."""
        word = fold(word)
        known = self._cuts.get((word, active))
        if known is None:
            numbers = self.knowledge.numbers
            foreign = bool(active & numbers["language"])
            prices = self._prices.setdefault(active, {})

            def dearness(piece: str) -> float:
                price = prices.get(piece)
                if price is None:
                    price = prices[piece] = self._dearness(piece, active, foreign)
                return price

            pieces = cut(word, dearness)
            known = self._cuts[word, active] = tuple(Part(p, (p,), known=known) for p, known in pieces)
        return known

    def _dearness(self, piece: str, active: frozenset[int], foreign: bool) -> float:
        """What a piece costs beside its length; infinite where it is no word."""
        english = self.knowledge.numbers["english"]
        known = False
        for sense in self.knowledge.senses(piece):
            if sense.origin in active:
                kind = self.knowledge.origins[sense.origin].kind
                if kind == "language" and len(piece) == 2 and sense.meanings[0] in _SMALL:
                    continue
                if kind in ("language", "glossary"):
                    return 0.0
                known = known or sense.origin in english or len(piece) > 3
        if known or (len(piece) > 3 and (piece in self.vocabulary or piece in self.knowledge.plain)):
            return ENGLISH if foreign else 0.0
        return float("inf")


def _runs(name: Words, known: Known) -> Iterable[tuple[int, int]]:
    """(start, end) of the longest runs of words that are known together, else single words."""
    at = 0
    while at < len(name):
        end = next(
            (e for e in range(min(len(name), at + RUN), at + 1, -1) if known(name[at:e])),
            at + 1,
        )
        yield at, end
        at = end


def _variants(parts: Sequence[Part]) -> list[Words]:
    """The likeliest meaning of every part, and then one other meaning of one part at a time."""
    first = [phrase_words(p.meanings[0]) for p in parts]
    found = [joined(first)]
    for place in range(1, max((len(p.meanings) for p in parts), default=0)):
        for at, part in enumerate(parts):
            if place < len(part.meanings):
                found.append(joined([*first[:at], phrase_words(part.meanings[place]), *first[at + 1 :]]))
    return found


def _starts(text: str) -> Iterable[str]:
    """``text``, and without an ending; one in Latin letters has a vowel."""
    yield text
    for end in range(len(text) - 1, max(len(text) - _ENDING, _STEM) - 1, -1):
        if not text.isascii() or not _VOWELS.isdisjoint(text[end:]):
            yield text[:end]


def _uncut(key: str) -> int:
    """Letters below which a name is no compound: Chinese, Japanese and Korean write whole words with two."""
    return 3 if key > _IDEOGRAPHS else 5


_IDEOGRAPHS = "\u2e80"


Glossary = Mapping[str, Sequence[tuple[str, str]]]
"""Source name, "" for all -> its words, (words, meanings) as in a file of concepts/."""


def read_tables(
    sources: Sequence[Relation],
    models: Sequence[Relation],
    known: Knowledge | None = None,
    glossary: Glossary | None = None,
    kept: "KeptReadings | None" = None,
) -> dict[str, TableReading]:
    """Relation id -> its names read. Words that the models use are known words; models are read after their own.

    ``kept``: holds what was read before, and is told what is read now.
    """
    words_of = glossary or {}
    known = (known or knowledge()).with_words(words_of.get("", ()))
    vocabulary = frozenset(fold(w) for m in models for c in m.columns for w in words(c.name) if len(w) > 2)
    theirs, ours = Reader(known), Reader(known, vocabulary)
    of = kept.of if kept else lambda *asked: asked[-1]()
    depends = _digest(words_of.get("", ()))
    found = {m.id: of(m, depends, partial(theirs.read, m)) for m in models}
    beside: dict[str, list[Relation]] = defaultdict(list)
    for relation in sources:
        beside[relation.source_name].append(relation)
    for name, tables in beside.items():
        own = words_of.get(name, ()) if name else ()
        reader = Reader(known.with_words(own), vocabulary) if own else ours
        others = tables if name else ()
        heard = [told(t) for t in others[:_TABLES_HEARD]] if len(others) > 1 else []
        depends = _digest(words_of.get("", ()), own, sorted(vocabulary), heard)
        found |= {t.id: of(t, depends, partial(reader.read, t, others)) for t in tables}
    return found


def told(relation: Relation) -> object:
    """All of a relation that its reading looks at."""
    return relation.name, [(c.name, c.type) for c in relation.columns]


def _digest(*values: object) -> bytes:
    return blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=16).digest()
