"""Column names as dots: the two directions in which their vectors differ most."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from dbt_schema_embed.errors import printable
from dbt_schema_embed.records import Relation
from dbt_schema_embed.show.words import short_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WIDTH, HEIGHT = 1200, 500
"""The dots' place: x from 0 to WIDTH, y from 0 to HEIGHT, whole numbers."""

LEAST = 3

DOTS = 20_000
"""Dots that are drawn at most, but for the largest table: beyond these nobody sees one, and the file opens slowly."""


def drawn(relations: Sequence[Relation]) -> list[Relation]:
    """The largest relations, as many as `DOTS` leaves room for."""
    ordered = sorted(relations, key=lambda r: (-len(r.columns), r.id))
    ends = accumulate(len(r.columns) for r in ordered)
    return [r for place, (r, end) in enumerate(zip(ordered, ends, strict=True)) if end <= DOTS or not place]


def map_data(relations: Sequence[Relation], vectors: Mapping[str, "NDArray[np.float32]"]) -> dict[str, Any]:
    """``{"groups": [{"label", "xy": [x, y, x, y ...], "names"}], "count", "explained"}``, largest table first.

    ``vectors``: relation id -> (n_columns, d), rows in the order of its columns; rows of zeros have no dot.
    ``explained`` is the share of the vectors' variance that the two directions hold.
    """
    ordered = sorted(relations, key=lambda r: (-len(r.columns), r.id))
    if not ordered or sum(len(r.columns) for r in ordered) < LEAST:
        return {"groups": [], "count": 0, "explained": 0.0}
    import numpy as np

    every = np.concatenate([vectors[r.id] for r in ordered])
    flat, explained = plane(every)
    there: NDArray[np.bool_] = np.any(every, axis=1)
    dots = _spread(flat)
    groups, at = [], 0
    for relation in ordered:
        mine = range(at, at + len(relation.columns))
        at += len(relation.columns)
        kept = [(i, c) for i, c in zip(mine, relation.columns, strict=True) if there[i]]
        if kept:
            xy = [number for i, _ in kept for number in dots[i].tolist()]
            names = [printable(c.name, 120) for _, c in kept]
            groups.append({"label": short_name(relation.id), "xy": xy, "names": names})
    return {"groups": groups, "count": int(there.sum()), "explained": round(explained, 4)}


def plane(vectors: "NDArray[np.float32]") -> tuple["NDArray[np.float64]", float]:
    """(n, d) -> (n, 2) by principal components, and the share of the variance they hold; same input, same output.

    Rows of zeros take no part in choosing the directions.
    """
    import numpy as np

    real = vectors[vectors.any(axis=1)]
    centre = real.mean(axis=0) if len(real) else np.zeros(vectors.shape[1], np.float32)
    centred = real - centre
    # The (d, d) scatter has the same directions as the rows and is small, however many rows there are.
    weights, directions = np.linalg.eigh((centred.T @ centred).astype(np.float64))  # ascending
    axes = directions[:, -1:-3:-1]
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)  # a direction has no sign
    total = float(weights.sum())
    flat: NDArray[np.float64] = (vectors - centre) @ axes
    return flat, float(weights[-2:].sum()) / total if total else 0.0


def _spread(flat: "NDArray[np.float64]") -> "NDArray[np.int64]":
    """Coordinates over the whole picture; the outermost 0.5 % of each side stand at its edge."""
    import numpy as np

    low, high = np.quantile(flat, [0.005, 0.995], axis=0)
    share = (flat - low) / np.where(high > low, high - low, 1.0)
    dots: NDArray[np.int64] = np.rint(np.clip(share, 0, 1) * np.array([WIDTH, HEIGHT])).astype(np.int64)
    return dots
