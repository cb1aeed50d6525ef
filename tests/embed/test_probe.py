"""The reference that a fast encoder is proven against."""

from pathlib import Path

import numpy as np
import pytest

from dbt_schema_embed.embed.encoder_files import read_files
from dbt_schema_embed.embed.probe import FIDELITY, PROBE_TEXTS, faithful, keep_reference, reference
from dbt_schema_embed.embed.weights import identity
from tests.embed.encoders import DIM, hash_rows


@pytest.mark.model
def test_the_default_encoders_reference_comes_with_the_package(tmp_path: Path) -> None:
    """For its identity, and for no other."""
    name = identity(read_files("all-MiniLM-L6-v2"), tmp_path)
    rows = reference(name, 384, tmp_path)
    assert rows is not None
    assert rows.shape == (len(PROBE_TEXTS), 384)
    assert reference("0" * 64, 384, tmp_path) is None


def test_a_reference_is_kept_for_the_next_run(tmp_path: Path) -> None:
    """Bit for bit; a damaged file is none."""
    rows = hash_rows(PROBE_TEXTS)
    keep_reference(rows, "mine", tmp_path)
    assert np.array_equal(reference("mine", DIM, tmp_path), rows)
    (path,) = (tmp_path / "probes").iterdir()
    whole = path.read_bytes()
    for damaged in (b"", b"x", whole[:-1], whole[:-1] + b"\x00", whole + b"\x00" * len(PROBE_TEXTS), whole[:16]):
        path.write_bytes(damaged)
        assert reference("mine", DIM, tmp_path) is None
    keep_reference(rows, "mine", path)  # a folder that cannot be made: the next run loads torch again


@pytest.mark.parametrize(("turn", "expected"), [(0.0, True), (0.005, True), (0.05, False)])
def test_faithful_means_every_text(turn: float, expected: bool) -> None:
    """One row turned too far is enough to refuse."""
    rows = hash_rows(PROBE_TEXTS)
    turned = rows.copy()
    aside = np.roll(rows[3], 1) - (np.roll(rows[3], 1) @ rows[3]) * rows[3]
    turned[3] = np.cos(turn) * rows[3] + np.sin(turn) * aside / np.linalg.norm(aside)
    assert faithful(turned, rows) == expected == bool(np.cos(turn) >= FIDELITY)
    assert not faithful(rows[:-1], rows)
    assert not faithful(np.full_like(rows, np.nan), rows)
