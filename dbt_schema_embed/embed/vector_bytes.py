"""A vector as bytes that can be trusted: magic, dtype, length and a checksum bound to its key.

offset  0  magic "DSEv"      offset 5  format version, 1     offset  8  numbers in the vector, uint32
offset  4  dtype, 0           offset 6  zero                  offset 12  CRC-32 of key and payload
offset 16  payload: little-endian float32
"""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_HEADER = struct.Struct("<4sBBHII")
_MAGIC = b"DSEv"
_VERSION = 1
_FLOAT32 = 0
_NORM_SLACK = 5e-3


def to_bytes(keys: Sequence[str], rows: NDArray[np.float32]) -> list[bytes]:
    """Each row of ``rows`` (n, d) as bytes bound to its key."""
    dim = rows.shape[1]
    values = []
    for key, row in zip(keys, rows.astype("<f4"), strict=True):
        payload = row.tobytes()
        checksum = zlib.crc32(payload, zlib.crc32(key.encode()))
        values.append(_HEADER.pack(_MAGIC, _FLOAT32, _VERSION, 0, dim, checksum) + payload)
    return values


def from_bytes(keys: Sequence[str], values: Sequence[bytes], dim: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The rows (n, d) in ``values`` and which of them hold: right form, checksum, all finite, length 1.

    Rows that do not hold are zeros.
    """
    size = _HEADER.size + dim * 4
    good = np.fromiter((_intact(k, v, size, dim) for k, v in zip(keys, values, strict=True)), bool, len(values))
    blank = bytes(size)
    whole = b"".join(v if ok else blank for v, ok in zip(values, good, strict=True))
    payload = np.frombuffer(whole, np.uint8).reshape(len(values), size)[:, _HEADER.size :]
    rows = np.ascontiguousarray(payload).view("<f4").astype(np.float32).reshape(len(values), dim)
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    good &= np.abs(norms - 1) < _NORM_SLACK  # false for NaN, too
    rows[~good] = 0
    return rows, good


def _intact(key: str, value: bytes, size: int, dim: int) -> bool:
    if len(value) != size:
        return False
    *head, checksum = _HEADER.unpack_from(value)
    if head != [_MAGIC, _FLOAT32, _VERSION, 0, dim]:
        return False
    return bool(checksum == zlib.crc32(memoryview(value)[_HEADER.size :], zlib.crc32(key.encode())))
