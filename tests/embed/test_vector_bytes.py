"""Vectors survive the way to bytes and back; nothing else passes for one."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.embed.vector_bytes import from_bytes, to_bytes
from tests.embed.encoders import DIM, hash_rows

TEXTS = st.lists(st.text(max_size=8), max_size=20, unique=True)


@given(TEXTS)
def test_float32_round_trip_is_exact(texts: list[str]) -> None:
    """Bit for bit, none for none."""
    rows = hash_rows(texts)
    back, good = from_bytes(texts, to_bytes(texts, rows), DIM)
    assert back.shape == (len(texts), DIM)
    assert good.all()
    assert np.array_equal(back, rows)


@given(st.integers(0, 16 + 4 * DIM - 1), st.integers(1, 255))
def test_any_changed_byte_is_seen(at: int, change: int) -> None:
    """Wherever it is."""
    (value,) = to_bytes(["k"], hash_rows(["k"]))
    broken = bytearray(value)
    broken[at] ^= change
    rows, good = from_bytes(["k"], [bytes(broken)], DIM)
    assert not good.any()
    assert not rows.any()


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_no_vector(value: bytes) -> None:
    """Nor do they raise."""
    assert not from_bytes(["k"], [value], DIM)[1].any()


def test_a_vector_of_another_key_is_refused() -> None:
    """The checksum covers the key: rows that changed places do not pass."""
    (value,) = to_bytes(["k"], hash_rows(["k"]))
    assert not from_bytes(["other"], [value], DIM)[1].any()


@pytest.mark.parametrize("number", [np.nan, np.inf, 0.0, 3.0, 60000.0])
def test_a_vector_not_of_length_1_is_refused(number: float) -> None:
    """Also with a right checksum, as a lying server could make."""
    rows = np.full((1, DIM), number, np.float32)
    assert not from_bytes(["k"], to_bytes(["k"], rows), DIM)[1].any()


@pytest.mark.parametrize("dim", [DIM + 1, DIM // 2])
def test_another_size_is_refused(dim: int) -> None:
    """Even where the byte counts agree."""
    (value,) = to_bytes(["k"], hash_rows(["k"]))
    assert not from_bytes(["k"], [value], dim)[1].any()


def test_the_layout() -> None:
    """As the module says: other programs may read it."""
    row = np.zeros((1, 2), np.float32)
    row[0, 0] = 1
    (value,) = to_bytes(["key"], row)
    payload = struct.pack("<2f", 1, 0)
    assert value == struct.pack("<4sBBHII", b"DSEv", 0, 1, 0, 2, zlib.crc32(b"key" + payload)) + payload
