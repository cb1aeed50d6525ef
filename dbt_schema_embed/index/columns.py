"""What is known of every column, as arrays beside the vectors: a search reads these, and not the project.

A column is a number: its place among all columns, tables by id. Arrays of the file: ``columns`` (n, 6) has its table,
name, type and description, each a number into those, and the rows of its two texts, -1 for none; ``name_words`` and
``table_words`` are ragged lists of numbers into ``words``; ``used_in`` and ``fed_by`` (m, 2) are pairs of a column and
a text of ``labels``; ``kin`` (m, 2) are columns that hold the same values by the SQL; ``column_keys`` (n,) tell columns
apart from one state of the project to the next.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.arrays import Array, DamagedError, Parts, Texts
from dbt_schema_embed.errors import ConfigError, nearest, printable
from dbt_schema_embed.records import Lineage, Relation, SearchHit
from dbt_schema_embed.types import type_family

Numbers = NDArray[np.int32]
Ragged = tuple[NDArray[np.int64], Numbers]
"""Lists of numbers: list i is ``[1][[0][i]:[0][i + 1]]``."""

TextsOf = Callable[[Relation], Iterable[tuple[str, ...]]]
"""For each column of a relation the texts it is found by, "" for none: its name in its table, its description."""

States = tuple[NDArray[np.uint64], NDArray[np.uint64]]

_TEXTS = slice(4, 6)
_TABLE = 5  # texts of each table: id, label, name, source, schema


@dataclass(frozen=True, slots=True)
class Changes:
    """What an update did, in columns."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Filter:
    """Which columns may be found: families of types ("text"), names of tables or sources, both in any case."""

    type: str | None = None
    table: str | None = None


def gathered(
    relations: Sequence[Relation],
    lineage: Iterable[Lineage],
    texts_of: TextsOf,
    words_of: Callable[[str], Sequence[str]],
) -> tuple[list[str], dict[str, Array]]:
    """The distinct texts to be encoded, in order, and the arrays that stand beside their vectors."""
    texts, names, types, descriptions, words = _Numbered(), _Numbered(), _Numbered(), _Numbered(), _Numbered()
    types[""], descriptions[""]  # number 0: nothing is said
    rows: list[tuple[int, ...]] = []
    keys: list[bytes] = []
    for number, relation in enumerate(relations):
        for column, found_by in zip(relation.columns, texts_of(relation), strict=True):
            facets = (texts[text] if text else -1 for text in found_by)
            rows.append(
                (number, names[column.name], types[column.type or ""], descriptions[column.description], *facets)
            )
            keys.append(_key(relation.id, column.name))
    tables = [(r.id, r.label, r.name, r.source_name, r.schema) for r in relations]
    return list(texts), {
        "columns": np.array(rows, "<i4").reshape(-1, 6),
        "column_keys": np.frombuffer(b"".join(keys), "<u8"),
        **_ragged("name_words", ([words[w] for w in words_of(name)] for name in names)),
        **_ragged("table_words", ([words[w] for w in words_of(r.name)] for r in relations)),
        **Texts.arrays("words", words),
        **Texts.arrays("tables", chain.from_iterable(tables)),
        **Texts.arrays("names", names),
        **Texts.arrays("types", types),
        **Texts.arrays("descriptions", descriptions),
        **_lines(relations, lineage),
    }


class _Numbered(dict[str, int]):
    """Distinct texts in the order they came, each with its number."""

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        return number


def _key(relation: str, column: str) -> bytes:
    return hashlib.blake2b(repr((relation, column)).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _ragged(name: str, lists: Iterable[Sequence[int]]) -> dict[str, Array]:
    starts, numbers = [0], list[int]()
    for some in lists:
        numbers += some
        starts.append(len(numbers))
    return {f"{name}_starts": np.array(starts, "<i8"), name: np.array(numbers, "<i4")}


def _lines(relations: Sequence[Relation], lineage: Iterable[Lineage]) -> dict[str, Array]:
    """What each source column feeds, what feeds each model column, and which of them hold the same values."""
    wanted = {side for line in lineage for side in (line.source, line.model)}
    at: dict[tuple[str, str], list[int]] = {}
    number = 0
    for relation in relations:
        for place, column in enumerate(relation.columns, number) if relation.id in wanted else ():
            at.setdefault((relation.id, column.name.lower()), []).append(place)
        number += len(relation.columns)
    labels, shown = {r.id: r.label for r in relations}, _Numbered()
    used, fed, kin = set[tuple[int, int]](), set[tuple[int, int]](), set[tuple[int, int]]()
    for line in lineage:
        sources = at.get((line.source, line.source_column.lower()), [])
        models = at.get((line.model, line.model_column.lower()), [])
        used |= {(c, shown[f"{labels.get(line.model, line.model)}.{line.model_column}"]) for c in sources}
        fed |= {(c, shown[f"{labels.get(line.source, line.source)}.{line.source_column}"]) for c in models}
        if line.kind != "derived" and sources and models:
            kin.add((sources[-1], models[-1]))
    pairs = {name: np.array(sorted(found), "<i4").reshape(-1, 2) for name, found in
             (("used_in", used), ("fed_by", fed), ("kin", kin))}  # fmt: skip
    return {**pairs, **Texts.arrays("labels", shown)}


def states(parts: Parts) -> States:
    """Each column's key, and the digests of its texts: (n,) and (n, 2)."""
    digests = np.append(parts["digests"][:, 0], np.uint64(0))  # the last one: no text
    return parts["column_keys"], digests[parts["columns"][:, _TEXTS]]


def changes(before: States | None, after: States) -> Changes:
    """What became of the columns of one state of the index in another one."""
    if before is None or not len(before[0]):
        return Changes(added=len(after[0]))
    _, old, new = np.intersect1d(before[0], after[0], return_indices=True)
    same = int((before[1][old] == after[1][new]).all(axis=1).sum())
    return Changes(len(after[0]) - len(new), len(new) - same, len(before[0]) - len(old), same)


class Columns:
    """The columns in an open file.

    Raises:
        DamagedError: something is missing, or points nowhere.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tables, self._names, self._types = (Texts(parts, name) for name in ("tables", "names", "types"))
        fields = parts["columns"]
        described, texts = parts.shape("descriptions_starts")[0] - 1, parts.shape("digests")[0]
        sizes = (len(self._tables) // _TABLE, len(self._names), len(self._types), described, texts, texts)
        pairs = [parts.shape(name)[1:] for name in ("kin", "used_in", "fed_by")]
        fits = fields.shape[1:] == (6,) and pairs == [(2,)] * 3 and not len(self._tables) % _TABLE
        if not fits or ((fields < (0, 0, 0, 0, -1, -1)) | (fields >= sizes)).any():
            raise DamagedError("its tables contradict each other")
        self.table, self.name, self.type, self._description = fields.T[:4]
        self.texts: Numbers = fields[:, _TEXTS]

    def __len__(self) -> int:
        return len(self.table)

    def words(self) -> tuple[list[str], Ragged, Ragged]:
        """The distinct words, and which of them each name has and each table's name."""
        names, tables = ((self._parts[f"{n}_starts"], self._parts[n]) for n in ("name_words", "table_words"))
        return Texts(self._parts, "words").all(), names, tables

    def admitted(self, wanted: Filter) -> NDArray[np.bool_] | None:
        """Which columns a filter admits; None: all.

        Raises:
            ConfigError: it admits none; the message says which near ones there are.
        """
        if wanted == Filter() or not len(self):
            return None
        left: NDArray[np.bool_] = np.ones(len(self), np.bool_)
        types = [_type_words(text) for text in self._types.all()]
        tables = self._tables.all()
        if wanted.type is not None:
            left &= np.array([wanted.type.lower() in words for words in types])[self.type]
        if wanted.table is not None:
            names = [text.lower() == wanted.table.lower() for text in tables]
            left &= np.asarray(np.array(names).reshape(-1, _TABLE).any(axis=1))[self.table]
        if not left.any():
            known = {word for number in np.unique(self.type).tolist() for word in types[number]}
            raise _nothing_fits(wanted, {tables[_TABLE * n + 1] for n in np.unique(self.table).tolist()}, known)
        return left

    def reached(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,): whether one of some texts stands for the column."""
        near = np.zeros(self._parts.shape("digests")[0] + 1, np.bool_)  # the last one: no text
        near[rows] = True
        return np.asarray(near[self.texts].any(axis=1))

    def with_kin(self, scores: NDArray[np.float64], worth: float) -> NDArray[np.float64]:
        """``scores`` (n,), where a column that holds the same values as another one is worth a share of that one."""
        raised = scores.copy()
        for one, other in (pairs := self._parts["kin"].T, pairs[::-1]) if len(self._parts["kin"]) else ():
            np.maximum.at(raised, one, (scores[other] * worth).round(4))
        return raised

    def hit(self, column: int, score: float) -> SearchHit:
        """A column as people see it."""
        shown: list[tuple[str, ...]] = []
        labels = Texts(self._parts, "labels")
        for name in ("used_in", "fed_by"):
            pairs = self._parts[name]
            start, stop = np.searchsorted(pairs[:, 0], [column, column + 1])
            shown.append(tuple(sorted(labels[label] for label in pairs[start:stop, 1].tolist())))
        return SearchHit(
            relation=self._tables[_TABLE * int(self.table[column])],
            column=self._names[int(self.name[column])],
            score=score,
            type=self._types[int(self.type[column])] or None,
            description=Texts(self._parts, "descriptions")[int(self._description[column])],
            used_in=shown[0],
            fed_by=shown[1],
        )


def _type_words(declared: str) -> set[str]:
    said = declared.lower()
    return {said, said.partition("(")[0].strip(), (type_family(declared or None) or "").lower()} - {""}


def _nothing_fits(wanted: Filter, labels: Iterable[str], types: Iterable[str]) -> ConfigError:
    asked = [(name, value) for name, value in (("type", wanted.type), ("table", wanted.table)) if value]
    said = " and ".join(f"--{name} {printable(value)!r}" for name, value in asked)
    near = nearest(wanted.table or "", sorted(labels), 3, 0.5) + nearest(wanted.type or "", sorted(types), 3, 0.5)
    return ConfigError(f"no column fits {said}", hint=f"near: {', '.join(map(printable, near))}" if near else "")
