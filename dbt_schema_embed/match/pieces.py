"""Two wide tables in pieces: some columns of one side, and what they may correspond to of the other."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.nearby import Nearby, keys_of
from dbt_schema_embed.match.reading import TableReading
from dbt_schema_embed.records import Embedded

AT_ONCE = 1_000_000
"""Pairs of columns up to which two tables are compared whole: 600 MB."""

COLUMNS, NEAREST, SHARING = 250, 8, 8
"""Columns of a piece, and for each of them how many of the other side: nearest in meaning, and sharing most words."""

Sides = tuple[Embedded, Embedded]
Readings = dict[str, TableReading]


def pieces(
    left: Embedded, right: Embedded, readings: Mapping[str, TableReading]
) -> Iterator[tuple[list[int], Sides, Readings]]:
    """Places of some columns of ``left``, and pieces of both sides with their readings; every column is in one. Those
    that want the same column of ``right`` are together, for they are weighed against each other."""
    wanted = _wanted(left, right, readings)
    order = np.argsort(wanted[:, 0], kind="stable")
    for start in range(0, len(order), COLUMNS):
        rows = np.sort(order[start : start + COLUMNS])
        columns = np.array(sorted({c for c in wanted[rows].ravel().tolist() if c >= 0}), np.int64)
        read = {
            left.relation.id: _read(readings[left.relation.id], rows),
            right.relation.id: _read(readings[right.relation.id], columns),
        }
        yield rows.tolist(), (_some(left, rows), _some(right, columns)), read


def _wanted(left: Embedded, right: Embedded, readings: Mapping[str, TableReading]) -> NDArray[np.int64]:
    """(n, NEAREST + SHARING) places of columns of ``right``, likeliest first, -1 for none."""
    alone = [replace(right.relation, name="", columns=(c,)) for c in right.relation.columns]
    nearby = Nearby(alone)
    ours, theirs = left.facets["name"], right.facets["name"]
    out = np.full((len(ours), NEAREST + SHARING), -1, np.int64)
    step, near = max(1, 2**24 // len(theirs)), min(NEAREST, len(theirs))
    for start in range(0, len(ours), step):
        cosine = ours[start : start + step] @ theirs.T
        best = np.argpartition(-cosine, near - 1, axis=1)[:, :near]
        ranked = np.argsort(-np.take_along_axis(cosine, best, axis=1), axis=1, kind="stable")
        out[start : start + step, :near] = np.take_along_axis(best, ranked, axis=1)
    for i, (column, reading) in enumerate(zip(left.relation.columns, readings[left.relation.id].columns, strict=True)):
        keys = keys_of(replace(left.relation, name="", columns=(column,)), reading.variants)
        some = nearby.nearest(keys, SHARING)
        out[i, NEAREST : NEAREST + len(some)] = some
    return out


def _some(side: Embedded, places: NDArray[np.int64]) -> Embedded:
    columns = tuple(side.relation.columns[i] for i in places.tolist())
    facets = {name: vectors[places] for name, vectors in side.facets.items()}
    values = tuple(side.values[i] for i in places.tolist()) if side.values else ()
    return replace(side, relation=replace(side.relation, columns=columns), facets=facets, values=values)


def _read(reading: TableReading, places: NDArray[np.int64]) -> TableReading:
    columns = tuple(reading.columns[i] for i in places.tolist())
    return replace(reading, columns=columns, cores=tuple(reading.cores[i] for i in places.tolist()))
