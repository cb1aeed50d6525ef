"""A node of the manifest, with what the catalog, tests and rows say about it -> Relation."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from dbt_schema_embed.read.artifacts import CatalogColumn, CatalogTable, Node, YamlColumn, tag_names
from dbt_schema_embed.read.constraints import NOTHING, Promise
from dbt_schema_embed.read.seeds import NO_ROWS, Rows
from dbt_schema_embed.records import Column, Relation, RelationKind
from dbt_schema_embed.sql.scanning import cut_out
from dbt_schema_embed.tables.samples import joined

KINDS = ("source", "model", "seed", "snapshot")
_JINJA = (("{{", "}}"), ("{%", "%}"), ("{#", "#}"))
# What leaves a file without a query: comments, and calls that only configure. Each also ends where the text does, so
# that none that is not closed is looked through twice.
_NO_QUERY = re.compile(
    r"\{#.*?(?:#\}|\Z)|/\*.*?(?:\*/|\Z)|--[^\n]*|\{\{-?\s*config\s*\(.*?(?:\)\s*-?\}\}|\Z)", re.DOTALL
)
_HIDDEN_CODE = "--placeholder--"  # dbt 2 writes this for code it keeps out of the manifest


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about one relation beside its node. Columns are keyed by name in lower case."""

    table: CatalogTable | None = None
    promises: Mapping[str, Promise] = field(default_factory=dict)
    rows: Rows = NO_ROWS
    values: bool = True


def relation(unique_id: str, node: Node, known: Known, nodes: Mapping[str, Node]) -> Relation:
    """The Relation of a source, model, seed or snapshot."""
    built = node.resource_type in ("model", "snapshot") and is_built(node)
    contract = _enforced(node.contract) or (node.config is not None and _enforced(node.config.contract))
    planned = node.resource_type == "model" and not built  # its YAML is the whole plan
    return Relation(
        id=unique_id,
        name=node.name if node.version is None else f"{node.name}.v{node.version}",
        kind=cast(RelationKind, node.resource_type),
        columns=_columns(node, known),
        source_name=node.source_name or "",
        schema=node.schema or "",
        description=_prose(node.description),
        package=node.package_name or "",
        path=node.file or (node.path or "").replace("\\", "/"),
        yaml_path=_yaml_path(node),
        tags=_tags(node),
        has_sql=built,
        off=not enabled(node),
        parents=tuple(i for i in node.parents if i in nodes and nodes[i].resource_type in KINDS),
        contract=contract,
        in_catalog=known.table is not None,
        complete=known.table is not None or contract or bool(known.rows.names) or planned,
    )


def enabled(node: Node) -> bool:
    """Whether dbt would build the node. Disabled sources stay in the manifests of old versions."""
    return node.config is None or node.config.enabled is not False


def has_sql(node: Node) -> bool:
    """Whether the manifest holds SQL of the model that selects. Comments and a bare ``config(...)`` are only a plan."""
    return not _is_python(node) and any(_NO_QUERY.sub("", code).strip() for code in (node.compiled, node.raw))


def is_built(node: Node) -> bool:
    """Whether a model is more than a plan; one whose code dbt keeps out of the manifest is, when it reads anything."""
    hidden = node.raw.strip() == _HIDDEN_CODE and bool(node.parents)
    return _is_python(node) or hidden or has_sql(node)


def _is_python(node: Node) -> bool:
    return (node.language or "").lower() == "python" or (node.original_file_path or "").endswith(".py")


def with_sql(
    relation: Relation, names: Sequence[str], literals: Mapping[str, tuple[str, ...]], *, complete: bool = False
) -> Relation:
    """The relation with the columns that SQL names, in that order, and the literals SQL compares columns with.

    ``literals`` is keyed by `Column.key`. Columns that no SQL names come last; ``complete``: they are absent, for the
    SQL lists all that the relation has.
    """
    columns = list(relation.columns)
    if names:
        spelled = {c.key: c for c in columns}
        keys = ((n if n in spelled else n.lower(), n) for n in names)  # each as what is left when it is reached
        order = [spelled.pop(key) if key in spelled else Column(n) for key, n in keys]
        rest = [c if c.absent == complete else replace(c, absent=complete) for c in spelled.values()]
        columns = [c if c.position == i else replace(c, position=i) for i, c in enumerate([*order, *rest])]
    if literals:
        columns = [replace(c, values=joined(c.values, literals[c.key])) if c.key in literals else c for c in columns]
    return replace(relation, columns=tuple(columns), complete=relation.complete or complete)


def _columns(node: Node, known: Known) -> tuple[Column, ...]:
    """Columns of the catalog (its order, types, spelling) and of the YAML; failing a catalog, of a seed's header."""
    unlisted = [(name, CatalogColumn()) for name in known.rows.names]
    listed = known.table.ordered() if known.table else unlisted
    documented = _Documented(node.documented(), _quoted_column(node.quoting))
    # Names that differ in case only can stand side by side only where they are quoted.
    clashing = {name for name, n in Counter(name.lower() for name, _ in listed).items() if n > 1}
    columns: list[Column] = []
    for name, found in listed:
        yaml = documented.take(name)
        quoted = documented.is_quoted(yaml) or name.lower() in clashing
        columns.append(_column(name, len(columns), yaml, found, quoted, known))
    for name, yaml in documented.rest():
        columns.append(_column(name, len(columns), yaml, None, documented.is_quoted(yaml), known))
    return tuple(columns)


class _Documented:
    """The YAML's columns, each taken once by the catalog's column of that name."""

    def __init__(self, columns: list[tuple[str, YamlColumn]], cased: bool) -> None:
        self._cased = cased
        self._exact = dict(columns)
        self._lower: dict[str, str] = {}
        for name, column in self._exact.items():
            if not self.is_quoted(column):
                self._lower.setdefault(name.lower(), name)

    def is_quoted(self, column: YamlColumn | None) -> bool:
        return column is not None and (column.quote is True or self._cased)

    def take(self, name: str) -> YamlColumn | None:
        exact = name if name in self._exact else self._lower.get(name.lower(), "")
        return self._exact.pop(exact, None)

    def rest(self) -> list[tuple[str, YamlColumn]]:
        """What nobody took; of names that differ in case only and are not quoted, the first."""
        return [(n, c) for n, c in self._exact.items() if self.is_quoted(c) or self._lower[n.lower()] == n]


_NO_SAMPLE = Column("")


def _column(
    name: str, place: int, yaml: YamlColumn | None, listed: CatalogColumn | None, quoted: bool, known: Known
) -> Column:
    promise = known.promises.get(name.lower(), NOTHING)
    sample = known.rows.samples.get(name.lower(), _NO_SAMPLE)
    type_ = (listed and listed.type) or (yaml and yaml.data_type) or ""
    description = (yaml and _prose(yaml.description)) or (listed and _prose(listed.comment)) or ""
    return Column(
        name=name,
        type=type_.strip() or None,
        description=description,
        position=place,
        quoted=quoted,
        unique=promise.unique,
        not_null=promise.not_null,
        accepted_values=promise.accepted_values,
        references=promise.references,
        absent=listed is None and known.table is not None,
        values=joined(sample.values, promise.accepted_values) if known.values else (),
        value_count=sample.value_count,
    )


def _quoted_column(quoting: Mapping[str, Any] | None) -> bool:
    return (quoting or {}).get("column") is True


def _prose(said: str | None) -> str:
    """A description; Jinja that nobody rendered is no description."""
    if not said:
        return ""
    for opening, closing in _JINJA if "{" in said else ():
        said = cut_out(said, opening, closing)
    return said.strip()


def _yaml_path(node: Node) -> str:
    declared = node.patch_path or (node.original_file_path if node.resource_type == "source" else "") or ""
    return declared.partition("://")[2] or declared


def _tags(node: Node) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*tag_names(node.tags), *tag_names(node.config.tags if node.config else None)]))


def _enforced(contract: Any) -> bool:
    return contract is True or (isinstance(contract, dict) and contract.get("enforced") is True)
