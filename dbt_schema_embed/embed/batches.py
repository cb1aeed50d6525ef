"""Rows of equal token length, cut to a token budget: no padding is ever computed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.errors import ConfigError

CHUNK = 2048
"""Least number of texts tokenized, encoded and stored together; the ones before and after are in other stages then."""

_SHORT = 8  # tokens of an ordinary column's text
_LEAST = 256  # tokens below which a smaller batch is a slower one
_SHARES = 4  # batches for each worker, so that all of them end at about the same time
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """What the caller allows."""

    batch_size: int | None = None  # most rows in one batch; None: chosen from the work and the device
    memory_mb: int | None = None  # above the loaded encoder


@dataclass(frozen=True, slots=True)
class Cost:
    """What a device computes at a time, and what that costs."""

    workers: int  # batches computed at once
    budget: int  # tokens in one batch
    token_bytes: int  # working memory a token, measured at its worst (the longest texts)
    longest: int  # tokens of the longest text
    base_bytes: int = 24 * _MIB  # tokens, memo and interpreter, whatever the batch


@dataclass(frozen=True, slots=True)
class Work:
    """How a call is cut."""

    workers: int
    budget: int
    rows: int | None  # most rows in a batch
    chunk: int


def cut(texts: int, dim: int, cost: Cost, limits: Limits) -> Work:
    """How to cut ``texts`` texts so that the limits hold.

    Raises:
        ConfigError: the memory limit holds not even one text at a time beside the result; it says what would.
    """
    workers, budget = cost.workers, cost.budget
    chunk = max(CHUNK, workers * budget // _SHORT)  # enough for a GPU's large batches
    if limits.memory_mb is not None:
        result = texts * dim * 4 * 2  # the rows, and once more while they are handed out
        left = limits.memory_mb * _MIB - result - cost.base_bytes
        one = cost.token_bytes * cost.longest
        if left < one:
            least = -(-(result + cost.base_bytes + one) // _MIB)
            raise ConfigError(
                f"memory_limit_mb {limits.memory_mb} does not hold {texts} vectors and one batch",
                hint=f"{least} would fit",
            )
        workers = max(1, min(workers, left // one))
        budget = min(budget, left // workers // cost.token_bytes)
        chunk = 1024
    return Work(workers, budget, limits.batch_size, chunk)


def share(tokens: int, work: Work) -> int:
    """The budget of one batch where ``tokens`` in all are to be shared between workers."""
    return min(work.budget, max(_LEAST, tokens // (_SHARES * work.workers)))


def plan(lengths: Sequence[int], budget: int, most_rows: int | None = None) -> Iterator[NDArray[np.intp]]:
    """The rows of each batch: of equal length, at most ``budget`` tokens (one row always fits) and ``most_rows`` rows.

    Longest first: the batch that needs most memory fails first if any does, and the ones that end the work are small.

    >>> [batch.tolist() for batch in plan([3, 5, 3, 3], budget=6)]
    [[1], [0, 2], [3]]
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    ordered = np.asarray(lengths, dtype=np.int64)[order]
    edges = [*np.flatnonzero(np.diff(ordered, prepend=-1)), len(order)]
    for start, end in pairwise(edges):
        most = max(1, budget // max(1, int(ordered[start])))
        batches = -(-(end - start) // min(most, most_rows or most))
        yield from np.array_split(order[start:end], batches)  # of about the same size
