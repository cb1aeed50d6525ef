"""Tables in memory (pandas, polars, Arrow, DuckDB ...) by the Arrow C stream interface, without any of those libraries.

https://arrow.apache.org/docs/format/CStreamInterface.html and CDataInterface.html say what the structures hold.
"""

import ctypes
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from dbt_schema_embed.errors import ArtifactError, printable
from dbt_schema_embed.records import Column
from dbt_schema_embed.tables.samples import ROWS_LIMIT, sampled

_NULLABLE = 2
_Pointer = ctypes.POINTER


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    pass


class _Stream(ctypes.Structure):
    pass


_Schema._fields_ = [
    ("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64), ("n_children", ctypes.c_int64), ("children", _Pointer(_Pointer(_Schema))),
    ("dictionary", _Pointer(_Schema)), ("release", ctypes.CFUNCTYPE(None, _Pointer(_Schema))),
    ("private", ctypes.c_void_p),
]  # fmt: skip
_Array._fields_ = [
    ("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64), ("n_children", ctypes.c_int64), ("buffers", _Pointer(ctypes.c_void_p)),
    ("children", _Pointer(_Pointer(_Array))), ("dictionary", _Pointer(_Array)),
    ("release", ctypes.CFUNCTYPE(None, _Pointer(_Array))), ("private", ctypes.c_void_p),
]  # fmt: skip
_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, _Pointer(_Stream), _Pointer(_Schema))),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, _Pointer(_Stream), _Pointer(_Array))),
    ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, _Pointer(_Stream))),
    ("release", ctypes.c_void_p), ("private", ctypes.c_void_p),
]  # fmt: skip

_FIXED: dict[str, tuple[str, Any]] = {
    "c": ("int8", ctypes.c_int8), "C": ("uint8", ctypes.c_uint8), "s": ("int16", ctypes.c_int16),
    "S": ("uint16", ctypes.c_uint16), "i": ("int32", ctypes.c_int32), "I": ("uint32", ctypes.c_uint32),
    "l": ("int64", ctypes.c_int64), "L": ("uint64", ctypes.c_uint64), "f": ("float", ctypes.c_float),
    "g": ("double", ctypes.c_double), "tdD": ("date32[day]", ctypes.c_int32), "tdm": ("date64[ms]", ctypes.c_int64),
}  # fmt: skip
"""Format -> Arrow's word, and how a value is stored."""

_OTHER = {
    "b": "bool", "u": "string", "U": "large_string", "vu": "string_view", "z": "binary", "Z": "large_binary",
    "vz": "binary_view", "e": "halffloat", "n": "null", "+s": "struct", "+l": "list", "+L": "large_list", "+m": "map",
    "tts": "time32[s]", "ttm": "time32[ms]", "ttu": "time64[us]", "ttn": "time64[ns]",
}  # fmt: skip
_UNITS = {"s": (1, "s"), "m": (1_000, "ms"), "u": (1_000_000, "us"), "n": (1_000_000_000, "ns")}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_stream(table: Any) -> list[Column]:
    """The columns of an object with ``__arrow_c_stream__``, types in Arrow's words, with samples of the first rows; no
    more batches are asked for than hold these.

    Raises:
        ArtifactError: it gives no table.
    """
    capsule = table.__arrow_c_stream__()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    stream = ctypes.cast(pointer(capsule, b"arrow_array_stream"), _Pointer(_Stream))
    schema = _Schema()
    _ask(stream, stream.contents.get_schema, schema)
    try:
        if schema.format != b"+s":
            raise ArtifactError("this is one column, and no table", hint="give a data frame or a table")
        fields = [schema.children[i].contents for i in range(schema.n_children)]
        cells: list[list[str]] = [[] for _ in fields]
        left = ROWS_LIMIT
        while left > 0 and (length := _batch(stream, fields, cells, left)):
            left -= length
        return [
            sampled(
                Column((f.name or b"").decode("utf-8", "replace"), _type(f), not_null=not f.flags & _NULLABLE), some
            )
            for f, some in zip(fields, cells, strict=True)
        ]
    finally:
        schema.release(schema)


def _ask(stream: Any, call: Callable[[Any, Any], int], into: ctypes.Structure) -> None:
    if code := call(stream, ctypes.byref(into)):
        said = stream.contents.get_last_error(stream) or b""
        reason = printable(said.decode("utf-8", "replace")) or f"error {code}"
        raise ArtifactError(f"the table cannot be read: {reason}")


def _batch(stream: Any, fields: list[Any], cells: list[list[str]], rows: int) -> int:
    """Add the texts of the next batch, "" for null; its length, 0 at the end."""
    batch = _Array()
    while True:
        _ask(stream, stream.contents.get_next, batch)
        if not batch.release:
            return 0
        length = int(batch.length)
        try:
            for i, (field, some) in enumerate(zip(fields, cells, strict=True)):
                some.extend(_cells(field, batch.children[i].contents, batch.offset, min(length, rows)))
        finally:
            batch.release(batch)
        if length:  # an empty batch is not the end
            return length


def _type(field: Any) -> str:
    """Arrow's word for a type; a dictionary is only a way to store its values."""
    if field.dictionary:
        return _type(field.dictionary.contents)
    said: str = field.format.decode("ascii", "replace")
    if said in _FIXED:
        return _FIXED[said][0]
    if said.startswith("ts") and said[2:3] in _UNITS:
        zone = said.partition(":")[2]
        return f"timestamp[{_UNITS[said[2]][1]}{f', tz={zone}' if zone else ''}]"
    if said.startswith("d:"):
        precision, scale, *bits = said[2:].split(",")
        return f"decimal{bits[0] if bits else 128}({precision}, {scale})"
    return _OTHER.get(said, said)


def _cells(field: Any, array: Any, start: int, length: int) -> Iterator[str]:
    """The texts of ``length`` values from ``start``; none for types without plain values."""
    start += array.offset
    read = _reader(field, array, start, length)
    if read is None:
        return
    valid = array.buffers[0] if array.n_buffers else None
    bits = (ctypes.c_uint8 * ((start + length + 7) // 8)).from_address(valid) if valid else None
    for i in range(length):
        place = start + i
        yield read(i) if bits is None or bits[place // 8] >> place % 8 & 1 else ""


def _reader(field: Any, array: Any, start: int, length: int) -> Callable[[int], str] | None:
    """What gives the text of the i-th value from ``start``."""
    said = field.format.decode("ascii", "replace")
    if field.dictionary:
        words = list(_cells(field.dictionary.contents, array.dictionary.contents, 0, array.dictionary.contents.length))
        places = _numbers(array, _FIXED[said][1], start, length)
        return lambda i: words[places[i]] if words else ""
    if said in _FIXED:
        numbers = _numbers(array, _FIXED[said][1], start, length)
        if said.startswith("td"):
            days = 1 if said == "tdD" else 86_400_000
            return lambda i: _day(numbers[i] // days)
        return lambda i: str(numbers[i])
    if said == "b":
        bits = (ctypes.c_uint8 * ((start + length + 7) // 8)).from_address(array.buffers[1])
        return lambda i: "true" if bits[(start + i) // 8] >> (start + i) % 8 & 1 else "false"
    if said in ("u", "U"):
        return _texts(array, ctypes.c_int32 if said == "u" else ctypes.c_int64, start, length)
    if said == "vu":
        return lambda i: _view(array, start + i)
    if said.startswith("ts") and said[2:3] in _UNITS:
        ticks, unit = _numbers(array, ctypes.c_int64, start, length), _UNITS[said[2]][0]
        return lambda i: _moment(ticks[i], unit)
    if said.startswith("d:"):
        width = int([*said[2:].split(","), "128"][2]) // 8
        scale, base = int(said[2:].split(",")[1]), array.buffers[1]
        return lambda i: str(Decimal(_whole(base + (start + i) * width, width)).scaleb(-scale))
    return None


def _numbers(array: Any, kind: Any, start: int, length: int) -> Any:
    return (kind * length).from_address(array.buffers[1] + start * ctypes.sizeof(kind)) if length else ()


def _texts(array: Any, kind: Any, start: int, length: int) -> Callable[[int], str]:
    ends, base = _numbers(array, kind, start, length + 1), array.buffers[2]
    return lambda i: ctypes.string_at(base + ends[i], ends[i + 1] - ends[i]).decode("utf-8", "replace") if base else ""


def _view(array: Any, place: int) -> str:
    """A string view: short ones stand in the view itself."""
    at = array.buffers[1] + 16 * place
    size, _, buffer, offset = (ctypes.c_int32 * 4).from_address(at)
    where = at + 4 if size <= 12 else array.buffers[2 + buffer] + offset
    return ctypes.string_at(where, size).decode("utf-8", "replace")


def _whole(address: int, width: int) -> int:
    return int.from_bytes(ctypes.string_at(address, width), "little", signed=True)


def _day(days: int) -> str:
    try:
        return (date(1970, 1, 1) + timedelta(days=days)).isoformat()
    except OverflowError:
        return ""


def _moment(ticks: int, unit: int) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=ticks * 1_000_000 // unit)).replace(tzinfo=None).isoformat(" ")
    except OverflowError:
        return ""
