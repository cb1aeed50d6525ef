"""What tests and constraints promise about a column: key, never null, its values, where it points."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dbt_schema_embed.read.artifacts import Constraint, Node
from dbt_schema_embed.records import VALUES_LIMIT

# Generic tests, of dbt and of packages, that say the same thing about one column.
_UNIQUE = {"unique", "expect_column_values_to_be_unique"}
_NOT_NULL = {"not_null", "expect_column_values_to_not_be_null"}
_VALUES = {"accepted_values": "values", "expect_column_values_to_be_in_set": "value_set"}
_POINTS = {"relationships", "relationships_where"}
_REF = re.compile(r"\b(ref|source)\s*\(([^()]*)\)")
_WORD = re.compile(r"""["']([^"']*)["']""")


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised about one column."""

    unique: bool = False
    not_null: bool = False
    accepted_values: tuple[str, ...] = ()
    references: str | None = None

    def __or__(self, other: "Promise") -> "Promise":
        return Promise(
            self.unique or other.unique,
            self.not_null or other.not_null,
            self.accepted_values or other.accepted_values,
            self.references or other.references,
        )


Promises = dict[str, dict[str, Promise]]
"""unique_id -> column name in lower case -> promise."""

NOTHING = Promise()


def promises(nodes: Mapping[str, Node]) -> Promises:
    """All that tests and declared constraints of ``nodes`` promise."""
    found: Promises = {}
    relations = _by_relation(nodes)
    for unique_id, node in nodes.items():
        if node.resource_type == "test":
            said = _from_test(node, nodes)
        else:
            said = ((unique_id, column, promise) for column, promise in _declared(node, relations))
        for owner, column, promise in said:
            columns = found.setdefault(owner, {})
            columns[column] = columns.get(column, NOTHING) | promise
    return found


def _from_test(node: Node, nodes: Mapping[str, Node]) -> Iterator[tuple[str, str, Promise]]:
    test = node.test_metadata
    if test is None or not test.name:
        return
    arguments = _arguments(test.kwargs or {})
    column = node.column_name or arguments.get("column_name")
    owner = _owner(node, arguments, nodes)
    promise = _promise(test.name, arguments, node, nodes, owner)
    if owner and promise != NOTHING and isinstance(column, str):
        yield owner, bare(column).lower(), promise


def _promise(name: str, arguments: dict[str, Any], node: Node, nodes: Mapping[str, Node], owner: str) -> Promise:
    if name in _UNIQUE:
        return Promise(unique=True)
    if name in _NOT_NULL:
        return Promise(not_null=True)
    if name in _VALUES:
        return Promise(accepted_values=_texts(arguments.get(_VALUES[name])))
    if name in _POINTS and isinstance(arguments.get("to"), str):
        others = [i for i in node.parents if i != owner]
        return Promise(references=_named(arguments["to"], others or node.parents, nodes) or _last(arguments["to"]))
    return NOTHING


def _arguments(kwargs: dict[str, Any]) -> dict[str, Any]:
    """dbt 1.10 and later may keep a test's own arguments one level down, under ``arguments``."""
    inner = kwargs.get("arguments")
    return {**kwargs, **inner} if isinstance(inner, dict) else kwargs


def _owner(node: Node, arguments: dict[str, Any], nodes: Mapping[str, Node]) -> str:
    """The relation a test stands on. Tests on sources and those before v10 have no ``attached_node``."""
    if node.attached_node:
        return node.attached_node
    parents = node.parents
    if len(parents) == 1:
        return parents[0]
    said = arguments.get("model")
    return (_named(said, parents, nodes) if isinstance(said, str) else None) or (parents[-1] if parents else "")


def _named(text: str, among: Iterable[str], nodes: Mapping[str, Node]) -> str | None:
    """The unique_id that ``ref('x')`` or ``source('a', 'b')`` in ``text`` means, one of ``among``."""
    call = _REF.search(text)
    words = _WORD.findall(call[2]) if call else []
    if not call or not words:
        return None
    for unique_id in among:
        node = nodes.get(unique_id)
        if node is None or node.name != words[-1]:
            continue
        if call[1] == "ref" and not unique_id.startswith("source."):
            return unique_id
        if call[1] == "source" and node.source_name == words[0]:
            return unique_id
    return None


def _last(text: str) -> str | None:
    """The name in ``ref('x')``, or plain text as it is."""
    words = _WORD.findall(text)
    return (words[-1] if words else bare(text.strip())) or None


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list):
        return ()
    texts = (_text(v) for v in values if isinstance(v, str | int | float | bool))
    return tuple(dict.fromkeys(texts))[:VALUES_LIMIT]


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _declared(node: Node, relations: Mapping[str, str]) -> Iterator[tuple[str, Promise]]:
    for name, column in node.documented():
        for constraint in column.constraints or ():
            yield name.lower(), _constrained(constraint, relations)
    for constraint in node.constraints or ():
        promise = _constrained(constraint, relations)
        names = constraint.columns or []
        for name in names:
            # A key of several columns makes none of them unique.
            yield bare(name).lower(), promise if len(names) == 1 else replace(promise, unique=False)
    if node.primary_key and len(node.primary_key) == 1:
        yield node.primary_key[0].lower(), Promise(unique=True, not_null=True)


def _constrained(constraint: Constraint, relations: Mapping[str, str]) -> Promise:
    kind = (constraint.type or "").lower()
    if kind == "foreign_key":
        target = constraint.to or (constraint.expression or "").partition("(")[0]
        return Promise(references=relations.get(plain(target)) or _last(target.split(".")[-1]))
    return Promise(unique=kind in ("unique", "primary_key"), not_null=kind in ("not_null", "primary_key"))


def _by_relation(nodes: Mapping[str, Node]) -> dict[str, str]:
    return {plain(node.relation_name): unique_id for unique_id, node in nodes.items() if node.relation_name}


def bare(name: str) -> str:
    """A column's name without the quotes that a test on a quoted column carries."""
    pairs = ('""', "``", "[]")
    return name[1:-1] if len(name) > 2 and name[0] + name[-1] in pairs else name


def plain(relation_name: str) -> str:
    """A relation's name as two spellings of it compare: no quotes, lower case."""
    return re.sub(r'["`\[\]\s]', "", relation_name).lower()
