"""What a column's sample values look like, as numbers that can be compared. Values stay in memory."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from dbt_schema_embed.records import Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("integer", "number", "date", "boolean", "text")
_NUMBER = re.compile(r"[-+]?[$€£]?\s?\d[\d,]*(\.\d+)?\s?%?$|[-+]?\.\d+$|[-+]?\d+(\.\d+)?[eE][-+]?\d+$")
_INTEGER = re.compile(r"[-+]?\d+$")
_DATE = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}([T ]|$)|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([T ]|$)")
_BOOLEAN = frozenset({"true", "false", "t", "f", "yes", "no", "y", "n"})
_GRAMS, _SAMPLE = 512, 200
_QUANTILES = np.linspace(0, 1, 9)


@dataclass(frozen=True, eq=False)
class Profile:
    """One column's values in numbers."""

    distinct: frozenset[str]  # trimmed, lower case
    kinds: "NDArray[np.float32]"  # (5,) shares of KINDS
    grams: "NDArray[np.float32]"  # (512,) of length 1: letters that stand together
    quantiles: "NDArray[np.float64] | None"  # (9,) of the numbers on a signed log scale; None without enough numbers
    length: float  # mean length, log scale
    uniqueness: float  # distinct values per row, in (0, 1]


@lru_cache(maxsize=20_000)
def profile(column: Column) -> Profile | None:
    """The profile of a column's values; None where it has none."""
    values = [v.strip() for v in (column.values or column.accepted_values)]
    values = [v for v in values if v]
    if not values:
        return None
    few = values[:_SAMPLE]
    kinds = Counter(_kind(v) for v in few)
    numbers = [n for n in (_number(v) for v in values) if n is not None]
    return Profile(
        distinct=frozenset(v.lower() for v in values),
        kinds=np.array([kinds[k] / len(few) for k in KINDS], np.float32),
        grams=_hashed([f" {v.lower()} "[i : i + 3] for v in few for i in range(min(len(v), 60))], _GRAMS),
        quantiles=_log_quantiles(numbers) if len(numbers) >= 0.8 * len(values) else None,
        length=float(np.log1p(np.mean([len(v) for v in few]))),
        uniqueness=min(1.0, len(values) / max(column.value_count, len(values))),
    )


def profiles(columns: Sequence[Column]) -> list[tuple[int, Profile]]:
    """The places of the columns that have values, and their profiles."""
    valued = ((i, profile(c)) for i, c in enumerate(columns) if c.values or c.accepted_values)
    return [(i, found) for i, found in valued if found is not None]


def _kind(value: str) -> str:
    if _INTEGER.match(value):
        return "integer"
    if _NUMBER.match(value):
        return "number"
    if _DATE.match(value):
        return "date"
    return "boolean" if value.lower() in _BOOLEAN else "text"


def _number(value: str) -> float | None:
    if not _NUMBER.match(value):
        return None
    return float(re.sub(r"[^\d.eE+-]", "", value) or 0)


def _log_quantiles(numbers: list[float]) -> "NDArray[np.float64]":
    cut = np.quantile(np.clip(np.array(numbers, np.float64), -1e18, 1e18), _QUANTILES)
    return np.asarray(np.sign(cut) * np.log10(1 + np.abs(cut)))


def _hashed(pieces: list[str], size: int) -> "NDArray[np.float32]":
    out = np.zeros(size, np.float32)
    for piece, times in Counter(pieces).items():
        out[crc32(piece.encode("utf-8", "replace")) % size] += times**0.5
    return out / max(float(np.linalg.norm(out)), 1e-9)
