"""What is declared about the columns: types and keys."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.match.block import Block, Matrix
from dbt_schema_embed.records import Column
from dbt_schema_embed.types import type_family

# Families that staging SQL casts between every day: likeness between "the same" (1) and "cannot be" (0).
_NEAR = {
    frozenset(pair.split()): worth
    for worth, pairs in {
        0.8: "integer decimal|integer float|decimal float|date timestamp|text uuid|text json|json array",
        0.5: "integer boolean|text date|text timestamp|text integer|text boolean|integer timestamp|text decimal"
        "|text float",
        0.3: "time timestamp|decimal boolean|text time|text binary|integer date",
    }.items()
    for pair in pairs.split("|")
}


def type_fit(block: Block) -> Matrix:
    """1 for the same type family, less for families one casts between, 0 else; silent where a type is unknown."""
    (lefts, rows), (rights, columns) = (_numbered(side) for side in (block.columns, block.targets))
    worth = np.array([[_fit(a, b) for b in rights] for a in lefts], np.float32).reshape(len(lefts), len(rights))
    return np.take(worth[rows], columns, axis=1)


def _numbered(columns: Sequence[Column]) -> tuple[list[str | None], NDArray[np.int64]]:
    """The distinct families of types, and which each column has."""
    number: dict[str | None, int] = {}
    places = [number.setdefault(type_family(c.type), len(number)) for c in columns]
    return list(number), np.array(places, np.int64)


def _fit(left: str | None, right: str | None) -> float:
    if left is None or right is None:
        return float("nan")
    return 1.0 if left == right else _NEAR.get(frozenset((left, right)), 0.0)


def key_fit(block: Block) -> Matrix:
    """1 where both or neither look like the row's key, 0 where one does; silent where the model declares no key."""
    left = np.array([_is_key(c) or c.key in ("id", "uuid", "guid") for c in block.columns])
    right = np.array([_is_key(c) for c in block.targets])
    declared = np.array([any(_is_key(c) for c in m.relation.columns) for m in block.models])
    silent = np.broadcast_to(~declared[block.model_of], block.shape)
    return np.where(silent, np.nan, left[:, None] == right[None, :]).astype(np.float32)


def _is_key(column: Column) -> bool:
    return column.unique or column.not_null
