"""A vector as bytes that can be trusted: magic, dtype, length and a checksum bound to its key.

offset  0  magic "DSEv"      offset 5  format version, 1     offset  8  numbers in the vector, uint32
offset  4  dtype, 0 or 1     offset 6  zero                  offset 12  CRC-32 of key and payload
offset 16  payload: little-endian float32 (dtype 0) or float16 (dtype 1)
"""

import struct
import zlib
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

StoreType = Literal["float32", "float16"]

_HEADER = struct.Struct("<4sBBHII")
_MAGIC = b"DSEv"
_VERSION = 1
_DTYPES: dict[str, tuple[int, np.dtype[Any]]] = {"float32": (0, np.dtype("<f4")), "float16": (1, np.dtype("<f2"))}
_NORM_SLACK = 5e-3  # float16 rounding moves a norm by less


def to_bytes(keys: Sequence[str], rows: NDArray[np.float32], store_type: StoreType) -> list[bytes]:
    """Each row of ``rows`` (n, d) as bytes bound to its key."""
    code, dtype = _DTYPES[store_type]
    dim = rows.shape[1]
    values = []
    for key, row in zip(keys, rows.astype(dtype), strict=True):
        payload = row.tobytes()
        checksum = zlib.crc32(payload, zlib.crc32(key.encode()))
        values.append(_HEADER.pack(_MAGIC, code, _VERSION, 0, dim, checksum) + payload)
    return values


def from_bytes(
    keys: Sequence[str], values: Sequence[bytes], dim: int, store_type: StoreType
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The rows (n, d) in ``values`` and which of them hold: right form, checksum, all finite, length 1.

    Rows that do not hold are zeros.
    """
    code, dtype = _DTYPES[store_type]
    size = _HEADER.size + dim * dtype.itemsize
    good = np.fromiter((_intact(k, v, size, code, dim) for k, v in zip(keys, values, strict=True)), bool, len(values))
    blank = bytes(size)
    whole = b"".join(v if ok else blank for v, ok in zip(values, good, strict=True))
    payload = np.frombuffer(whole, np.uint8).reshape(len(values), size)[:, _HEADER.size :]
    rows = np.ascontiguousarray(payload).view(dtype).astype(np.float32).reshape(len(values), dim)
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    good &= np.abs(norms - 1) < _NORM_SLACK  # false for NaN, too
    rows[~good] = 0
    if store_type == "float16":
        rows[good] /= norms[good, None]
    return rows, good


def _intact(key: str, value: bytes, size: int, code: int, dim: int) -> bool:
    if len(value) != size:
        return False
    magic, found_code, version, zero, found_dim, checksum = _HEADER.unpack_from(value)
    if (magic, found_code, version, zero, found_dim) != (_MAGIC, code, _VERSION, 0, dim):
        return False
    return bool(checksum == zlib.crc32(memoryview(value)[_HEADER.size :], zlib.crc32(key.encode())))
