"""Batches hold rows of one length; a call is cut so that its limits hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.embed.batches import CHUNK, Cost, Limits, cut, plan, share
from dbt_schema_embed.errors import ConfigError

MIB = 2**20


@given(st.lists(st.integers(1, 300), max_size=200), st.integers(1, 5000), st.none() | st.integers(1, 100))
def test_plan_takes_every_row_once(lengths: list[int], budget: int, most_rows: int | None) -> None:
    """One length a batch, within budget and rows, longest first."""
    batches = [batch.tolist() for batch in plan(lengths, budget, most_rows)]
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    sizes = [lengths[batch[0]] for batch in batches]
    assert sizes == sorted(sizes, reverse=True)
    for batch in batches:
        assert len({lengths[row] for row in batch}) == 1
        assert len(batch) <= (most_rows or len(batch))
        assert len(batch) == 1 or sum(lengths[row] for row in batch) <= budget


COST = Cost(workers=4, budget=2048, token_bytes=10_000, longest=256)


def test_the_work_is_shared_between_workers() -> None:
    """Few tokens make few batches, many fill the budget; rows are capped only where asked."""
    work = cut(20, 384, COST, Limits())
    assert (work.rows, work.chunk) == (None, CHUNK)
    assert [share(tokens, work) for tokens in (0, 100, 8000, 10**6)] == [256, 256, 500, 2048]
    assert cut(400, 384, COST, Limits(batch_size=7)).rows == 7
    assert cut(10**6, 384, Cost(2, 65536, 10_000, 256), Limits()).chunk == 16384


@given(st.integers(0, 20_000), st.integers(1, 500))
def test_a_memory_limit_holds_or_is_refused(texts: int, limit: int) -> None:
    """By the cost model; what it says would fit does fit, and one less does not."""
    try:
        work = cut(texts, 384, COST, Limits(memory_mb=limit))
    except ConfigError as problem:
        least = int(problem.hint.split()[0])
        assert least > limit
        cut(texts, 384, COST, Limits(memory_mb=least))
        with pytest.raises(ConfigError):
            cut(texts, 384, COST, Limits(memory_mb=least - 1))
    else:
        used = work.workers * work.budget * COST.token_bytes + texts * 384 * 8 + COST.base_bytes
        assert used <= limit * MIB
        assert work.budget >= COST.longest


def test_the_refusal_says_what_would_fit() -> None:
    """One line, with the number to set."""
    with pytest.raises(ConfigError) as problem:
        cut(10_000, 384, COST, Limits(memory_mb=10))
    assert str(problem.value) == "memory_limit_mb 10 does not hold 10000 vectors and one batch\n  56 would fit"
