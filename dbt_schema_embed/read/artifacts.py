"""dbt's manifest.json and catalog.json, decoded into typed structs.

Every schema version has what is named here under one of these names, or lacks it; unknown keys are skipped. Fields that
people fill freely (tags, contract, quote ...) are ``Any`` and read with care, so one odd value never costs the run.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from dbt_schema_embed.errors import ArtifactError, printable
from dbt_schema_embed.files import read_bytes

MAX_BYTES = 512 * 2**20
MAX_OBJECTS = 6_000_000  # JSON objects in one file: 2,000,000 columns, each with its config and meta
MAX_COLUMNS = 2_000_000


class Constraint(msgspec.Struct, frozen=True):
    """One entry of ``constraints`` (since v9), on a column or a model."""

    type: str | None = None
    columns: list[str] | None = None
    to: str | None = None
    expression: str | None = None


class YamlColumn(msgspec.Struct, frozen=True):
    """A column as the YAML describes it."""

    name: str | None = None
    description: str | None = None
    data_type: str | None = None
    quote: Any = None
    constraints: list[Constraint] | None = None


class NodeConfig(msgspec.Struct, frozen=True):
    """What we need of a node's config."""

    enabled: Any = True
    materialized: str | None = None
    tags: Any = None
    contract: Any = None
    delimiter: Any = None


class Checksum(msgspec.Struct, frozen=True):
    """Hash of a node's file."""

    name: str | None = None
    checksum: str | None = None


class DependsOn(msgspec.Struct, frozen=True):
    """What a node refers to."""

    nodes: list[str] | None = None


class TestMetadata(msgspec.Struct, frozen=True):
    """The generic test behind a test node."""

    name: str | None = None
    kwargs: dict[str, Any] | None = None


class Resource(msgspec.Struct, frozen=True):
    """What every resource of a manifest has, as far as we read it."""

    name: str = ""
    resource_type: str = ""
    package_name: str | None = None
    original_file_path: str | None = None
    patch_path: str | None = None
    fqn: list[str] | None = None
    source_name: str | None = None
    tags: Any = None
    depends_on: DependsOn | None = None
    version: str | int | float | None = None
    test_metadata: TestMetadata | None = None

    @property
    def file(self) -> str:
        """original_file_path, with slashes."""
        return (self.original_file_path or "").replace("\\", "/")

    @property
    def parents(self) -> tuple[str, ...]:
        """The unique_ids it depends on, each once."""
        return tuple(dict.fromkeys((self.depends_on.nodes if self.depends_on else None) or ()))


class Node(Resource, frozen=True):
    """A node or a source. Up to v6 ``raw_code`` and ``compiled_code`` were called ``raw_sql`` and ``compiled_sql``."""

    unique_id: str | None = None
    path: str | None = None
    root_path: str | None = None
    database: str | None = None
    schema: str | None = None
    alias: str | None = None
    identifier: str | None = None
    relation_name: str | None = None
    description: str | None = None
    columns: dict[str, YamlColumn] | list[YamlColumn] | None = None
    constraints: list[Constraint] | None = None
    primary_key: list[str] | None = None
    config: NodeConfig | None = None
    contract: Any = None
    quoting: dict[str, Any] | None = None
    language: str | None = None
    raw_code: str | None = None
    raw_sql: str | None = None
    compiled_code: str | None = None
    compiled_sql: str | None = None
    checksum: Checksum | None = None
    column_name: str | None = None
    attached_node: str | None = None

    @property
    def raw(self) -> str:
        """The code as written, with its Jinja."""
        return self.raw_code or self.raw_sql or ""

    @property
    def compiled(self) -> str:
        """The SQL after Jinja, empty when dbt has not compiled it."""
        return self.compiled_code or self.compiled_sql or ""

    @property
    def table(self) -> str:
        """The table's name in the warehouse."""
        return self.identifier or self.alias or self.name

    def documented(self) -> list[tuple[str, YamlColumn]]:
        """(name, column) as the YAML lists them; a missing or blank name is the key's."""
        if isinstance(self.columns, dict):
            return [(column.name or key, column) for key, column in self.columns.items()]
        return [(column.name, column) for column in self.columns or () if column.name]


class Metadata(msgspec.Struct, frozen=True):
    """Head of an artifact."""

    dbt_schema_version: str | None = None
    dbt_version: str | None = None
    project_name: str | None = None
    project_id: str | None = None
    adapter_type: str | None = None


class Manifest(msgspec.Struct, frozen=True):
    """manifest.json."""

    metadata: Metadata | None = None
    nodes: dict[str, Node] | msgspec.UnsetType = msgspec.UNSET
    sources: dict[str, Node] | None = None
    disabled: Any = None  # what is switched off: lists of nodes by unique_id

    def every_node(self) -> dict[str, Node]:
        """Sources and nodes by unique_id. Before dbt 0.17 sources stood among the nodes."""
        return {**(self.nodes or {}), **(self.sources or {})}


class CatalogColumn(msgspec.Struct, frozen=True):
    """A column as the warehouse has it."""

    name: str | None = None
    type: str | None = None
    index: Any = None
    comment: str | None = None


class CatalogTable(msgspec.Struct, frozen=True):
    """A table as the warehouse has it."""

    columns: dict[str, CatalogColumn] | None = None

    def ordered(self) -> list[tuple[str, CatalogColumn]]:
        """(name, column) in the table's order."""
        named = [(column.name or key, column) for key, column in (self.columns or {}).items()]
        return sorted(named, key=lambda pair: _number(pair[1].index))


class Catalog(msgspec.Struct, frozen=True):
    """catalog.json."""

    metadata: Metadata | None = None
    nodes: dict[str, CatalogTable] | msgspec.UnsetType = msgspec.UNSET
    sources: dict[str, CatalogTable] | None = None

    def tables(self) -> dict[str, CatalogTable]:
        """Tables by unique_id."""
        return {**(self.nodes or {}), **(self.sources or {})}


class _Artifact(Protocol):
    """What every artifact has."""

    @property
    def metadata(self) -> Metadata | None: ...
    @property
    def nodes(self) -> Any: ...


_AnyArtifact = TypeVar("_AnyArtifact", bound=_Artifact)
_WRITTEN_BY = {"manifest": "dbt parse", "catalog": "dbt docs generate`, in dbt 2 `dbt compile --write-catalog"}


def load_manifest(path: Path) -> Manifest:
    """Decode a manifest.

    Raises:
        ArtifactError: missing, unreadable, too large, not JSON, or not a manifest; it says what to do next.
    """
    manifest = load(path, Manifest, "manifest")
    columns = sum(len(node.columns or ()) for node in manifest.every_node().values())
    if columns > MAX_COLUMNS:
        raise ArtifactError(f"the manifest {printable(path)} lists {columns:,} columns, more than {MAX_COLUMNS:,}")
    return manifest


def load_catalog(path: Path) -> Catalog:
    """Decode a catalog.

    Raises:
        ArtifactError: as `load_manifest`.
    """
    return load(path, Catalog, "catalog")


def tag_names(said: Any) -> list[str]:
    """Tags as people write them: a list, or one alone as text."""
    tags = [said] if isinstance(said, str) else said
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def root_package(metadata: Metadata | None, packages: Iterable[str | None]) -> str:
    """The project's own package. Before v10 a manifest gives only its MD5; failing that, the commonest."""
    metadata = metadata or Metadata()
    if metadata.project_name:
        return metadata.project_name
    from hashlib import md5

    counted = Counter(package for package in packages if package)
    for package in counted:
        if md5(package.encode(), usedforsecurity=False).hexdigest() == metadata.project_id:
            return package
    return counted.most_common(1)[0][0] if counted else ""


def load(path: Path, kind: type[_AnyArtifact], what: str) -> _AnyArtifact:
    """Decode an artifact into ``kind``; ``what`` it is: "manifest" or "catalog".

    Raises:
        ArtifactError: as `load_manifest`.
    """
    hint = f"run `{_WRITTEN_BY[what]}`, or name the file with --{what}"
    data = read_bytes(path, what, hint, MAX_BYTES)
    if data.count(b"{") > MAX_OBJECTS:
        raise ArtifactError(f"the {what} {printable(path)} holds more than {MAX_OBJECTS:,} objects, too many to read")
    artifact, problem = _decode(data, kind)
    if artifact is None:
        raise ArtifactError(f"the {what} {printable(path)} {problem}", hint=hint)
    written_as = _schema_kind(artifact)
    if written_as != what and written_as:
        raise ArtifactError(f"{printable(path)} is a dbt {written_as}, not a {what}", hint=hint)
    if artifact.nodes is msgspec.UNSET:
        raise ArtifactError(f"{printable(path)} is JSON, but no dbt {what}: it has no nodes", hint=hint)
    return artifact


def _decode(data: bytes, kind: type[_AnyArtifact]) -> tuple[_AnyArtifact | None, str]:
    """The artifact, or None and what is wrong, in words that follow the file's name."""
    if not data.strip(b" \t\r\n\0"):
        return None, "is empty"
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=kind), ""
    except UnicodeDecodeError:
        return None, "is not text in UTF-8"
    except RecursionError:
        return None, "is nested too deeply to read"
    except msgspec.ValidationError as problem:
        return None, f"is not as dbt writes it: {printable(problem)}"
    except msgspec.DecodeError as problem:
        if "truncated" in str(problem):
            return None, "ends too early: it is cut off"
        return None, f"is not JSON: {printable(problem)}"


def _schema_kind(artifact: _Artifact) -> str:
    version = (artifact.metadata.dbt_schema_version if artifact.metadata else None) or ""
    found = re.search(r"/dbt/([a-z-]+)/v?[\d.]+", version)
    return found[1] if found else ""


def _number(index: Any) -> float:
    try:
        return float(index)
    except (TypeError, ValueError):
        return 0.0
