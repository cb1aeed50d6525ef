"""basis.py: fewer dimensions keep what they can, and say what they cost."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.index import Index, basis
from tests.index.conftest import DIM, Memo, brute_force, columns
from tests.index.test_generations import current

Open = Callable[..., Index]


@pytest.mark.parametrize("wanted", [1, 3, 16])
def test_directions_are_those_of_the_singular_value_decomposition(wanted: int) -> None:
    rows = np.random.default_rng(3).normal(size=(200, 16)).astype(np.float32) * np.arange(1, 17, dtype=np.float32)
    ours = basis.fit(iter(np.split(rows, 4)), 16, wanted)
    theirs = np.linalg.svd(rows.astype(np.float64), full_matrices=False)[2][:wanted]
    assert ours.shape == (wanted, 16)
    assert np.abs(np.sum(ours * theirs, axis=1)) == pytest.approx(1, abs=1e-4)  # the sign is free


def test_all_dimensions_lose_nothing(opened: Open) -> None:
    memo = Memo(columns(100))
    index = opened(dimensions=DIM)
    assert index.update(memo.items, memo).recall_loss == pytest.approx(0, abs=0.005)
    queries = memo.of(list(memo.items)[::9])
    assert index.query(queries, 3)[0] == brute_force(memo, queries, 3)[0]


def test_the_loss_is_measured_and_kept(opened: Open, tmp_path: Path) -> None:
    memo = Memo(columns(200))
    index = opened(dimensions=4)
    loss = index.update(memo.items, memo).recall_loss
    assert loss is not None
    assert 0.1 < loss < 0.9
    assert opened(dimensions=4).update(memo.items, memo).recall_loss == loss
    full = np.array([memo.vector(t) for t in memo.items.values()], np.float64)
    directions = np.linalg.svd(full, full_matrices=False)[2][:4]
    reduced = full @ directions.T
    reduced /= np.linalg.norm(reduced, axis=1, keepdims=True)

    def neighbours(rows: np.ndarray) -> list[set[int]]:
        products = rows @ rows.T
        np.fill_diagonal(products, -9)
        return [set(np.argsort(-row)[:10]) for row in products]

    pairs = zip(neighbours(full), neighbours(reduced), strict=True)
    assert loss == pytest.approx(1 - np.mean([len(a & b) / 10 for a, b in pairs]), abs=0.02)
    assert sorted(p.name for p in current(tmp_path / "index").iterdir()) == [
        "basis.f32", "digests.b16", "ids.utf8", "manifest.json", "offsets.i64", "starts.i64", "vectors.f16",
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "dimensions", "most"), [(3, 4, 3), (100, DIM + 1, DIM), (0, 1, 0)])
def test_more_dimensions_than_there_are(opened: Open, tmp_path: Path, count: int, dimensions: int, most: int) -> None:
    memo = Memo(columns(count))
    with pytest.raises(ConfigError, match=f"dimensions is {dimensions}: the project has {count} distinct vectors") as e:
        opened(dimensions=dimensions).update(memo.items, memo)
    assert f"at most {most}" in e.value.hint
    assert list((tmp_path / "index/generations").iterdir()) == []


def test_queries_and_new_texts_take_the_same_directions(opened: Open, tmp_path: Path) -> None:
    memo = Memo(columns(60))
    index = opened(dimensions=8)
    index.update(memo.items, memo)
    directions = (current(tmp_path / "index") / "basis.f32").read_bytes()
    memo.asked.clear()
    memo.items["new"] = "new"
    index.update(memo.items, memo)
    assert memo.asked == ["new"]
    assert (current(tmp_path / "index") / "basis.f32").read_bytes() == directions
    ids, similarities = index.query(memo.of(["new"]), 1)
    assert ids == [["new"]]
    assert similarities[0, 0] == pytest.approx(1, abs=1e-3)


def test_directions_are_fitted_anew_when_the_project_has_doubled(opened: Open, tmp_path: Path) -> None:
    memo = Memo(columns(40))
    index = opened(dimensions=8)
    index.update(memo.items, memo)
    directions = (current(tmp_path / "index") / "basis.f32").read_bytes()
    memo = Memo(columns(90))
    index.update(memo.items, memo)
    index.update(memo.items, memo)
    assert (current(tmp_path / "index") / "basis.f32").read_bytes() != directions
    assert index.query(memo.of(["model.shop.m8|c80"]), 1)[0] == [["model.shop.m8|c80"]]
    assert index.notes == []


def test_rows_of_zeros_stay_zeros(opened: Open) -> None:
    memo = Memo(columns(30))
    index = opened(dimensions=4)
    index.update(memo.items, lambda ids: np.array([memo.vector(memo.items[i]) * (i[-1] != "3") for i in ids]))
    _, similarities = index.query(memo.of(["model.shop.m0|c4"]), 30)
    assert (similarities == 0).sum() == 3
    assert np.isfinite(similarities).all()


def test_rows_that_are_the_same_once_reduced(opened: Open) -> None:
    """In one dimension there are two vectors, 1 and -1."""
    memo = Memo(columns(40))
    index = opened(dimensions=1)
    index.update(memo.items, memo)
    memo.items["new"] = "new"
    del memo.items["model.shop.m0|c0"]
    index.update(memo.items, memo)
    ids, similarities = index.query(memo.of(["new"]), 40)
    assert sorted(ids[0]) == sorted(memo.items)
    assert set(similarities[0].tolist()) <= {1, -1}
    first = [i for i, s in zip(ids[0], similarities[0], strict=True) if s == 1]
    assert first == sorted(first)
    assert index.notes == []
