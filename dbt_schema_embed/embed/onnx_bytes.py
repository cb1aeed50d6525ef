"""The few messages of ONNX that our graphs are made of, as bytes: the onnx package would add 28 MB to an installation.

Protocol Buffers on the wire: a field is its number and kind, then a varint, four bytes, or a length and that many
bytes. The fields' numbers are those of onnx.proto.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Any

from numpy.typing import NDArray

FLOAT = 1
_TYPES = {"float32": FLOAT, "uint8": 2, "int8": 3, "int64": 7}
_EXTERNAL = 1
_IR_VERSION = 9
_OPSETS = {"": 18, "com.microsoft": 1}


def node(kind: str, inputs: Iterable[str], outputs: Iterable[str], domain: str = "", **attributes: float) -> bytes:
    """A NodeProto; attributes are whole numbers or floats."""
    said = [_attribute(name, content) for name, content in attributes.items()]
    ends = [*((1, name) for name in inputs), *((2, name) for name in outputs)]
    return _message(*ends, (4, kind), *((5, attribute) for attribute in said), (7, domain))


def _attribute(name: str, content: float) -> bytes:
    """An AttributeProto: field 2 holds a float, 3 a whole number, 20 which of both it is."""
    field, kind = (2, 1) if isinstance(content, float) else (3, 2)
    return _message((1, name), (field, content), (20, kind))


def tensor(name: str, array: NDArray[Any], *, apart: bool = False) -> bytes:
    """A TensorProto; ``apart``: its numbers are handed over when a session opens."""
    place = _message((13, _message((1, "location"), (2, "in memory"))), (14, _EXTERNAL))
    values = place if apart else _message((9, array.tobytes()))
    return _message(*((1, n) for n in array.shape), (2, _TYPES[array.dtype.name]), (8, name)) + values


def value(name: str, dtype: str, shape: Sequence[int | str]) -> bytes:
    """A ValueInfoProto: what enters or leaves a graph. A dimension is a number or, where it varies, a name."""
    sizes = (_message((1 if isinstance(size, int) else 2, size)) for size in shape)
    kind = _message((1, _TYPES[dtype]), (2, _message(*((1, size) for size in sizes))))
    return _message((1, name), (2, _message((1, kind))))


def model(nodes: Iterable[bytes], tensors: Iterable[bytes], entering: bytes, leaving: bytes) -> bytes:
    """A ModelProto of one graph."""
    held = [*((1, x) for x in nodes), *((5, x) for x in tensors)]
    graph = _message(*held, (2, "graph"), (11, entering), (12, leaving))
    opsets = (_message((1, domain), (2, version)) for domain, version in _OPSETS.items())
    return _message((1, _IR_VERSION), (7, graph), *((8, x) for x in opsets))


def _message(*fields: tuple[int, int | float | str | bytes]) -> bytes:
    return b"".join(_field(number, content) for number, content in fields)


def _field(number: int, content: int | float | str | bytes) -> bytes:
    if isinstance(content, int):
        return _varint(number << 3) + _varint(content & (1 << 64) - 1)
    if isinstance(content, float):
        return _varint(number << 3 | 5) + struct.pack("<f", content)
    body = content.encode() if isinstance(content, str) else content
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have the highest bit."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
