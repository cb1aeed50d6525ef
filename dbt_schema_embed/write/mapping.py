"""A mapping file: its schema, its place, its strict reader."""

import re
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

from dbt_schema_embed.errors import MappingError, near_hint, printable
from dbt_schema_embed.files import content_hash, safe_name, write_text
from dbt_schema_embed.records import MAX_COLUMNS, MappingFile, MappingRow, Relation, Status
from dbt_schema_embed.write.yamltree import Node, YamlTextError, decoded, parse, read_content

VERSION = 1
SCHEMA_NAME = "mapping.schema.json"
"""The JSON Schema's name in this package, and beside the mapping files, where editors find it without a network."""

GLOSSARY_SCHEMA = "glossary.schema.json"
"""The one of the glossary, likewise."""

FILE_KEYS = ("version", "source", "package", "into", "not_into", "columns", "undecided", "unmapped")
ROW_KEYS = (
    "source_column", "source_columns", "model", "model_column", "expression", "confidence", "status", "reason", "note",
    "decided_by", "decided_at",
)  # fmt: skip
STATUSES: tuple[Status, ...] = get_args(Status)
_IGNORE = re.compile(r"(?:^|\s)#\s*schema-embed:\s*ignore\s+([a-z-]+(?:[\s,]+[a-z-]+)*)")
_CONFIDENCE = re.compile(r"0(?:\.\d+)?|1(?:\.0+)?|\.\d+|\d(?:\.\d+)?e-\d+")


def schema_text(name: str = SCHEMA_NAME) -> str:
    """The JSON Schema of a mapping file, or that of the glossary, as it ships."""
    from importlib.resources import files as package_files  # 10 ms that readers need not pay

    return (package_files("dbt_schema_embed.write") / name).read_text("utf-8")


def add_words(path: Path, lines: str, root: Path) -> None:
    """Add lines to the glossary at ``path``, made where there is none, and lay its schema beside it.

    Raises:
        WriteError: it cannot be written.
    """
    head = f"# yaml-language-server: $schema={GLOSSARY_SCHEMA}\n# Words of this project: `word, word: meaning`\n"
    before = path.read_text("utf-8-sig") if path.exists() else head
    write_text(path, before.rstrip("\n") + "\n" + lines, root=root)
    write_text(path.with_name(GLOSSARY_SCHEMA), schema_text(GLOSSARY_SCHEMA), root=root)


def mapping_path(mappings_dir: Path, source: Relation, *, package: str = "", twin: bool = False) -> Path:
    """Where the mapping of one source table lives: ``<mappings_dir>/<source>__<table>.yml``.

    ``package`` goes in front where two packages declare the same source. ``twin``: another source would have the same
    file, on a disk that ignores case at least (``a__b.c`` and ``a.b__c``, ``s.Orders`` and ``s.orders``); digits of
    the names' hash tell the two apart. Names that no file may have are changed by `safe_name`, so the path always stays
    in ``mappings_dir``.
    """
    name = "__".join(part for part in (package, source.source_name, source.name) if part)
    mark = "~" + content_hash("\0".join((package, source.source_name, source.name)).encode())[:10] if twin else ""
    return mappings_dir / f"{safe_name(name)}{mark}.yml"


def read_mapping(path: Path, shown: str) -> MappingFile:
    """The mapping file at ``path``; ``shown`` is what people are told it is called. About 20 µs a column.

    Raises:
        MappingError: anything that is not exactly a mapping file of version 1, with its line.
    """
    return parse_mapping(read_text(path, shown)[1], shown)[0]


def read_text(path: Path, shown: str) -> tuple[bytes, str]:
    """The bytes of a YAML file and its text without byte order mark.

    Raises:
        MappingError: it cannot be read, is too large or not UTF-8.
    """
    try:
        content = read_content(path)
    except OSError as problem:
        raise MappingError(f"it cannot be read: {problem.strerror}", path=shown) from None
    try:
        return content, decoded(content)
    except YamlTextError as problem:
        raise mapping_error(problem, shown) from None


def parse_mapping(text: str, shown: str) -> tuple[MappingFile, Node]:
    """The mapping in ``text`` and the tree it was read from; see `read_mapping`."""
    try:
        root = parse(text)
        return replace(_file(root, shown), ignored=_ignored(text)), root
    except YamlTextError as problem:
        raise mapping_error(problem, shown) from None


def _ignored(text: str) -> tuple[tuple[int, str], ...]:
    """Comments such as ``# schema-embed: ignore fed-twice``: their line and rule.

    One on a line of its own is about the next line that is none; one above all else is about the whole file, line 0.
    """
    if "schema-embed:" not in text:
        return ()
    found: list[tuple[int, str]] = []
    waiting: list[str] = []
    begun = False
    for number, line in enumerate(text.splitlines(), 1):
        comment = _IGNORE.search(line)
        rules = re.findall(r"[a-z-]+", comment[1]) if comment else []
        if line.strip().startswith("#"):
            waiting += rules if begun else []
            found += [(0, rule) for rule in rules if not begun]
        elif line.strip():
            begun = True
            found += [(number, rule) for rule in (*waiting, *rules)]
            waiting = []
    return tuple(found)


def mapping_error(problem: YamlTextError, shown: str) -> MappingError:
    """``problem`` as an error of the file called ``shown``."""
    return MappingError(problem.problem, path=shown, line=problem.line, hint=problem.hint)


def rows_node(root: Node) -> Node | None:
    """The node of ``columns``, None when there are none."""
    node = root.get("columns")
    return None if node is None or node.null else node


def _file(root: Node, shown: str) -> MappingFile:
    if root.null:
        raise YamlTextError("it is empty", hint="remove it, and write it again with: dbt-schema-embed suggest --write")
    fields = _fields(root, FILE_KEYS, "a mapping file")
    version = fields.get("version")
    if version is None or _text(version, "version") != str(VERSION):
        said = "has no version" if version is None else f"has version {printable(version.text)!r}"
        raise YamlTextError(f"it {said}", version.line if version else 0, f"this release reads version: {VERSION}")
    source = _text(fields["source"], "source") if "source" in fields else ""
    if not source:
        raise YamlTextError("it names no source", 0, "add a line such as source: stripe.charges")
    names = partial(_names, fields)
    return MappingFile(
        path=shown,
        source=source,
        columns=tuple(_row(node) for node in _items(fields.get("columns"), "columns")),
        unmapped=names("unmapped", "a column"),
        unmapped_line=fields["unmapped"].line if "unmapped" in fields else 0,
        package=_text(fields["package"], "package") if "package" in fields else "",
        undecided=names("undecided", "a column"),
        undecided_line=fields["undecided"].line if "undecided" in fields else 0,
        into=names("into", "a model"),
        not_into=names("not_into", "a model"),
    )


def _names(fields: dict[str, Node], key: str, what: str) -> tuple[str, ...]:
    return tuple(_required(node, f"{what} under {key}") for node in _items(fields.get(key), key))


def _row(node: Node) -> MappingRow:
    fields = _fields(node, ROW_KEYS, "a row of columns")
    first, *others = _columns(node, fields)
    text = partial(_optional, fields)
    model, column = text("model"), text("model_column")
    if (model is None) != (column is None):
        lacking = "model" if model is None else "model_column"
        raise YamlTextError(
            f"this row has no {lacking}", node.line, "model and model_column stand together or not at all"
        )
    return MappingRow(
        source_column=first,
        others=tuple(others),
        model=model,
        model_column=column,
        confidence=_confidence(fields.get("confidence")),
        status=_status(fields.get("status")),
        reason=text("reason") or "",
        note=text("note") or "",
        expression=text("expression") or "",
        decided_by=text("decided_by") or "",
        decided_at=text("decided_at") or "",
        line=node.line,
    )


def _columns(node: Node, fields: dict[str, Node]) -> tuple[str, ...]:
    """The columns that a row is about: ``source_column``, or ``source_columns`` where an expression takes several."""
    if ("source_column" in fields) == ("source_columns" in fields):
        said = "both source_column and source_columns" if "source_column" in fields else "no source_column"
        raise YamlTextError(f"this row has {said}", node.line, "say which column of the source it is about")
    if "source_column" in fields:
        return (_required(fields["source_column"], "source_column"),)
    names = _names(fields, "source_columns", "a column")
    if not names:
        raise YamlTextError("source_columns is empty", node.line, "say which columns of the source it is about")
    return names


def _fields(node: Node, known: Collection[str], what: str) -> dict[str, Node]:
    """The values of a mapping node by key: every key known, none twice, no value an anchor's or a tag's."""
    if node.kind != "mapping":
        raise YamlTextError(f"{what} must be keys and values, as in key: value", node.line)
    _refuse_marked(node)
    found: dict[str, Node] = {}
    for key, value in node.pairs:
        name = key.text
        if key.kind != "scalar" or name not in known:
            shown = printable(name) if key.kind == "scalar" else "(no name)"
            raise YamlTextError(f"{shown!r} is no key of {what}", key.line, _nearest(name, known))
        if name in found:
            raise YamlTextError(f"{name!r} stands here twice", key.line, "remove one of them")
        _refuse_marked(key)
        found[name] = value
    return found


def _items(node: Node | None, what: str) -> list[Node]:
    if node is None or node.null:
        return []
    if node.kind != "sequence":
        raise YamlTextError(f"{what} must be a list", node.line)
    _refuse_marked(node)
    if len(node.items) > MAX_COLUMNS:
        raise YamlTextError(f"{what} lists more than {MAX_COLUMNS} columns", node.line)
    return node.items


def _refuse_marked(node: Node) -> None:
    if node.marked or node.kind == "alias":
        raise YamlTextError("it uses an anchor, an alias or a tag", node.line, "write the value out")


def _text(node: Node, what: str) -> str:
    if node.kind == "scalar" and not node.marked:
        return "" if node.null else node.text
    _refuse_marked(node)
    raise YamlTextError(f"{what} must be text", node.line)


def _required(node: Node, what: str) -> str:
    if text := _text(node, what):
        return text
    raise YamlTextError(f"{what} is empty", node.line, "quote a name such as 'null'" if node.text else "")


def _optional(fields: dict[str, Node], key: str) -> str | None:
    node = fields.get(key)
    return (_text(node, key) or None) if node is not None else None


def _confidence(node: Node | None) -> float | None:
    if node is None or node.null:
        return None
    text = _text(node, "confidence")
    if node.style or not _CONFIDENCE.fullmatch(text):
        raise YamlTextError(f"confidence is {printable(text, 40)!r}", node.line, "it must be a number from 0 to 1")
    return float(text)


def _status(node: Node | None) -> Status:
    text = "suggested" if node is None else _text(node, "status")
    for status in STATUSES:
        if text == status:
            return status
    line = node.line if node else 0
    raise YamlTextError(f"status is {printable(text, 40)!r}", line, _nearest(text, STATUSES))


def _nearest(word: str, known: Collection[str]) -> str:
    """A hint that names the closest of ``known``, or all of them."""
    return near_hint(word, known) or f"known are: {', '.join(known)}"
