"""Entries under ``columns: config: meta: schema_embed:`` of source tables, in YAML text that stays otherwise."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from dbt_schema_embed.errors import printable
from dbt_schema_embed.write.yamledit import Edits, Indent, Raw, Value
from dbt_schema_embed.write.yamltree import Node, YamlTextError, parse

KEY = "schema_embed"
ADDED = "added"
"""Stands in the first entry of a column that the YAML did not list: with its entries the whole column goes again."""

Entry: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TableMeta:
    """What should stand under the columns of one source table; a column that is not named loses its entry."""

    source_name: str
    table: str
    columns: Mapping[str, Sequence[Entry]]  # source column -> one entry or several
    cased: Collection[str] = ()  # columns whose name compares with case


def with_meta(text: str, tables: Sequence[TableMeta]) -> str:
    """``text`` of a sources file with the entries of ``tables``; the same text when it has them.

    Raises:
        YamlTextError: no YAML, a table that is not there, anchors where entries would go, or a text in which a change
            would mean something else as well.
    """
    root = parse(text)
    edits = Edits(text, _indent(root))
    for meta in tables:
        _edit_table(edits, _table(root, meta), meta)
    new = edits.result()
    if new != text:
        _check(root, parse(new), tables)
    return new


def _table(root: Node, meta: TableMeta) -> Node:
    """The mapping node of a source table."""
    source = _Named(_list(root, "sources")).get(meta.source_name)
    table = _Named(_list(source, "tables")).get(meta.table) if source else None
    if table is None:
        name = printable(f"{meta.source_name}.{meta.table}")
        raise YamlTextError(f"it does not declare {name}", hint="run dbt parse, so that the manifest says where it is")
    return table


def _list(node: Node, key: str) -> Sequence[Node]:
    found = node.get(key)
    if found is None or found.null:
        return ()
    _plain(found)
    if found.kind != "sequence":
        raise YamlTextError(f"{key} is not a list", found.line)
    return found.items


def _plain(node: Node) -> None:
    """Refuse what stands in several places at once: a change here would be a change there."""
    if node.marked or node.kind == "alias":
        raise YamlTextError("it uses an anchor, an alias or a tag where entries go", node.line)


class _Named:
    """Items of a list by their ``name``, or by that in another case."""

    def __init__(self, items: Sequence[Node]) -> None:
        named = [(_name(item), item) for item in reversed(items)]  # of two the first counts
        self._items = {name.lower(): item for name, item in named} | dict(named)

    def get(self, name: str) -> Node | None:
        """The item called ``name``."""
        found = self._items.get(name) or self._items.get(name.lower())
        if found is not None:
            _plain(found)
        return found


def _name(item: Node) -> str:
    name = item.get("name") if item.kind == "mapping" else None
    return name.text if name is not None and name.kind == "scalar" else ""


def _edit_table(edits: Edits, table: Node, meta: TableMeta) -> None:
    items = _list(table, "columns")
    new: list[Value] = []
    kept: set[int] = set()
    named = _Named(items)
    for column, entries in meta.columns.items():
        node = named.get(column)
        if node is None:
            quote: dict[str, Value] = {"quote": Raw("true")} if column in meta.cased else {}
            new.append({"name": column, **quote, "config": {"meta": {KEY: _value(entries, added=True)}}})
        else:
            kept.add(id(node))
            _set_entry(edits, node, _value(entries, added=_is_added(node)))
    drop = []
    for place, item in enumerate(items):
        if id(item) in kept or _entry(item) is None:
            continue
        if _is_added(item) and _only_ours(item):
            drop.append(place)
        else:
            _remove_entry(edits, item)
    _change_columns(edits, table, drop, new)


def _change_columns(edits: Edits, table: Node, drop: Sequence[int], new: Sequence[Value]) -> None:
    """Last of all: what grows inside the last column stands before what follows it."""
    columns = table.get("columns")
    if columns is None or not columns.items:
        if new:
            edits.put(table, "columns", new)
    elif len(drop) == len(columns.items) and not new:
        edits.remove_pair(table, "columns")
    elif drop or new:
        edits.change_items(columns, drop, new)


def _value(entries: Sequence[Entry], *, added: bool = False) -> Value:
    written: list[dict[str, Value]] = [dict(entry) for entry in entries]
    if added:
        written[0][ADDED] = Raw("true")
    return written[0] if len(written) == 1 else written


def _is_added(column: Node) -> bool:
    """Whether `apply` has added the column."""
    entry = _entry(column)
    first = entry.items[0] if entry is not None and entry.items else entry
    mark = first.get(ADDED) if first is not None and first.kind == "mapping" else None
    return mark is not None and mark.text == "true"


def _only_ours(column: Node) -> bool:
    """Whether nothing stands in the column that people have written since."""
    _, config, meta, _ = _path(column)
    return {key.text for key, _ in column.pairs} <= {"name", "quote", "config"} and len(config.pairs) == len(
        meta.pairs
    ) == 1


def _path(column: Node) -> list[Node]:
    """A column, its ``config``, its ``meta`` and its entry; shorter where one of them is missing."""
    path = [column]
    for key in ("config", "meta", KEY):
        inner = path[-1].get(key) if path[-1].kind == "mapping" else None
        if inner is None:
            break
        path.append(inner)
    return path


def _entry(column: Node) -> Node | None:
    """The node of a column's entry."""
    path = _path(column)
    return path[3] if len(path) == 4 else None


def _set_entry(edits: Edits, column: Node, value: Value) -> None:
    node = column
    for key, below in (("config", {"meta": {KEY: value}}), ("meta", {KEY: value}), (KEY, value)):
        if node.get("<<") is not None:
            raise YamlTextError("it uses a merge key where entries go", node.line)
        inner = node.get(key)
        if inner is None or key == KEY or inner.null or (inner.kind == "mapping" and not inner.pairs):
            if inner is None or _data(inner) != _data_of(below):
                edits.put(node, key, below)
            return
        _plain(inner)
        if inner.kind != "mapping":
            raise YamlTextError(f"{key} is not keys and values", inner.line)
        node = inner


def _remove_entry(edits: Edits, column: Node) -> None:
    """Take the entry out, and what held nothing else."""
    _, config, meta, _ = path = _path(column)
    for node in path[:3]:
        _plain(node)
    if len(meta.pairs) > 1:
        edits.remove_pair(meta, KEY)
    elif len(config.pairs) > 1:
        edits.remove_pair(config, "meta")
    else:
        edits.remove_pair(column, "config")


def _indent(root: Node) -> Indent:
    """The indents most of the file has."""
    steps: Counter[int] = Counter()
    dashes: Counter[int] = Counter()
    gaps: Counter[int] = Counter()
    for node in _nodes(root):
        for key, value in node.pairs:
            if value.style == "block" and not value.marked and value.kind == "mapping":
                steps[value.column - key.column] += 1
            elif value.style == "block" and not value.marked:
                dashes[value.column - key.column] += 1
                gaps.update(item.column - value.column for item in value.items if item.kind == "mapping")
    return Indent(mapping=_most(steps), dash=_most(dashes), gap=_most(gaps))


def _most(counts: Counter[int]) -> int:
    return counts.most_common(1)[0][0] if counts else 2


def _nodes(root: Node) -> Iterator[Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack += [*node.items, *(value for _, value in node.pairs)]


def _check(old: Node, new: Node, tables: Sequence[TableMeta]) -> None:
    """The new text says what it should, and beside our entries what the old one said."""
    wrong = _without_entries(old) != _without_entries(new)
    for meta in tables:
        items = _list(_table(new, meta), "columns")
        said = {_name(item): _unmarked(entry) for item in items if (entry := _entry(item)) is not None}
        named = _Named(items)
        spelled = {column: _name(node) if (node := named.get(column)) else column for column in meta.columns}
        wanted = {spelled[column]: _data_of(_value(entries)) for column, entries in meta.columns.items()}
        wrong = wrong or said != wanted
    if wrong:
        raise YamlTextError("a change would mean something else as well")


def _data(node: Node) -> Any:
    """A node as nested dicts, lists and text."""
    if node.kind == "mapping":
        return {key.text: _data(value) for key, value in node.pairs}
    return [_data(item) for item in node.items] if node.kind == "sequence" else node.text


def _unmarked(entry: Node) -> Any:
    """An entry as plain data, without the mark of a column that was added."""
    data = _data(entry)
    for part in data if isinstance(data, list) else [data]:
        if isinstance(part, dict):
            part.pop(ADDED, None)
    return data


def _data_of(value: Value) -> Any:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _data_of(item) for key, item in value.items()}
    return [_data_of(item) for item in value]


def _without_entries(node: Node) -> Any:
    """The tree as plain data without our entries, what held only them, and columns that have nothing but a name."""
    if node.kind == "sequence":
        items = [_without_entries(item) for item in node.items]
        return ("sequence", node.marked, [item for item in items if not _only_named(item)])
    if node.kind != "mapping":
        return node.data()
    pairs = []
    for key, value in node.pairs:
        if key.text == KEY:
            continue
        data = _without_entries(value)
        empty = value.null or (data[0] in ("mapping", "sequence") and not data[2])
        if not (key.text in ("config", "meta", "columns") and empty):
            pairs.append((key.data(), data))
    return ("mapping", node.marked, pairs)


def _only_named(data: Any) -> bool:
    return data[0] == "mapping" and all(key[0] == "scalar" and key[2] in ("name", "quote") for key, _ in data[2])
