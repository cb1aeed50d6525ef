"""A dbt project's own files, where they say more than the manifest: it is older than they are, or there is none.

The SQL text is the truth: a model whose text is not the one that the manifest's checksum was made of is read from its
file, as far as refs and sources go. YAML has no checksum there: a file that is newer than the manifest is read again.
What only dbt can read (macros, dbt_project.yml, SQL that statements shape) is named instead.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import ValidationError, convert
from msgspec.structs import replace

from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.files import inside, read_bounded
from dbt_schema_embed.read.artifacts import DependsOn, Manifest, Node, NodeConfig, root_package
from dbt_schema_embed.read.own_yaml import Said, patched, read_own_yaml, test_nodes
from dbt_schema_embed.sql.jinja import plain_sql, references
from dbt_schema_embed.yaml_values import load_yaml

GRACE = 60.0
"""Seconds a manifest may be older than a file that has no checksum: a fresh checkout writes them in any order."""

MAX_BYTES = 8 * 2**20
MAX_FILES = 50_000
_PACKAGES = "dbt_packages"
_NOT_OURS = (_PACKAGES, "target", "logs")
_FOLDERS = {
    "model": ("model-paths", "models"),
    "seed": ("seed-paths", "seeds"),
    "snapshot": ("snapshot-paths", "snapshots"),
}
_MACROS = ("macro-paths", "macros")
_ENDINGS = {"model": (".sql", ".py"), "seed": (".csv",), "snapshot": (".sql",)}
_CONFIG = re.compile(r"\{\{-?\s*config\s*\(([^)]*)")
_DISABLED = re.compile(r"\benabled\s*=\s*[Ff]alse\b")
_SNAPSHOT = re.compile(r"\{%-?\s*snapshot\s+(\w+)")


@dataclass(slots=True)
class Own:
    """Nodes as the files have them."""

    nodes: dict[str, Node]
    name: str = ""  # of the project's own package
    changed: set[str] = field(default_factory=set)  # models that are not what the manifest, and so the catalog, has
    unread: list[str] = field(default_factory=list)  # changed files that only dbt can read, relative to the project
    warnings: list[str] = field(default_factory=list)
    whole: bool = True  # False: packages that the project declares are not installed


@dataclass(frozen=True, slots=True)
class _Package:
    """A package: the project itself, or one that is installed below it."""

    name: str
    root: Path
    folders: Mapping[str, Sequence[str]]  # kind of node, or "macro" -> folders below ``root``
    models: Mapping[str, Any]  # `models:` of its dbt_project.yml


def read_own_files(project_dir: Path, manifest: Manifest | None, written: float = 0.0) -> Own:
    """The nodes of the project in ``project_dir``, own files first.

    ``manifest`` None: there is none; packages are then read as installed. ``written``: when it was, in seconds.
    """
    own = Own(manifest.every_node() if manifest else {})
    problems = own.warnings
    name = root_package(manifest.metadata, (n.package_name for n in own.nodes.values())) if manifest else ""
    packages = [_package(project_dir, problems, name)]
    own.name = packages[0].name
    if manifest is None:
        installed = sorted((project_dir / _PACKAGES).glob("*/dbt_project.yml"))
        packages += [_package(path.parent, problems) for path in installed if inside(path, project_dir)]
        own.whole = bool(installed) or not _declares_packages(project_dir)
    for package in packages:
        _Reader(own, package, project_dir, manifest, written).read()
    return own


def model_folders(root: Path) -> Sequence[str]:
    """The model paths of the project in ``root``."""
    return _package(root, []).folders["model"]


def switched_off(manifest: Manifest) -> dict[str, Node]:
    """Nodes of the manifest with ``enabled: false`` by unique_id, of several with one id the first."""
    said = manifest.disabled if isinstance(manifest.disabled, dict) else {}
    return {str(i): nodes[0] for i, entry in said.items() if (nodes := _nodes(entry))}


def adapter_of(root: Path) -> str | None:
    """The adapter of the default target of the one profile in the project's own profiles.yml, if that says it."""
    path = root / "profiles.yml"
    try:
        data = load_yaml(file_content(path), path)
    except ConfigError:
        return None
    profiles = [p for p in data.values() if isinstance(p, dict)] if isinstance(data, dict) else []
    outputs = profiles[0].get("outputs") if len(profiles) == 1 else None
    target = outputs.get(profiles[0].get("target", "default")) if isinstance(outputs, dict) else None
    return str(target["type"]) if isinstance(target, dict) and "type" in target else None


def _declares_packages(root: Path) -> bool:
    names = ("packages.yml", "dependencies.yml")
    return any(re.search(rb"^(packages|projects)\s*:\s*$", file_content(root / n), re.MULTILINE) for n in names)


def _package(root: Path, problems: list[str], name: str = "") -> _Package:
    path = root / "dbt_project.yml"
    try:
        data = load_yaml(file_content(path), path)
    except ConfigError as problem:  # Jinja in it may be no YAML: dbt judges it, and its usual folders will do
        problems.append(problem.message)
        data = None
    said: dict[str, Any] = data if isinstance(data, dict) else {}
    kinds = {**_FOLDERS, "macro": _MACROS}
    folders = {kind: _names(said.get(key)) or [usual] for kind, (key, usual) in kinds.items()}
    own = str(name or said.get("name") or root.resolve().name)
    models = said.get("models")
    return _Package(own, root, folders, models if isinstance(models, dict) else {})


def _names(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


class _Reader:
    """Reads one package into `Own`."""

    def __init__(self, own: Own, package: _Package, top: Path, manifest: Manifest | None, written: float) -> None:
        self.own, self.package, self.top = own, package, top
        self.written = written if manifest else None
        self.disabled = manifest.disabled if manifest and isinstance(manifest.disabled, dict) else {}
        self.known: dict[str, list[str]] = {}  # path -> ids of the manifest's nodes
        for unique_id, node in own.nodes.items():
            if node.package_name == package.name and node.resource_type in (*_FOLDERS, "source", "test"):
                self.known.setdefault(node.file, []).append(unique_id)
        self.stems: dict[tuple[str, str], str] = {}  # (kind, stem of the file) -> unique_id
        self._old: dict[str, Node] = {}  # what was left out

    def read(self) -> None:
        """Take in every file."""
        yamls: list[tuple[str, Path]] = []
        for kind in _FOLDERS:
            for path, place in self._files(kind, (*_ENDINGS[kind], ".yml", ".yaml")):
                if place.suffix in (".yml", ".yaml"):
                    yamls.append((path, place))
                else:
                    self._code(kind, path, place)
        self._forget({path for path in self.known if self._gone(path)})
        newer = [(path, place) for path, place in dict(yamls).items() if self._newer(place)]
        self._forget({path for path, _ in newer}, declared=True)
        for path, place in newer:
            self._yaml(path, place)
        self._refer()
        self._unread()

    def _files(self, kind: str, endings: Sequence[str]) -> Iterator[tuple[str, Path]]:
        """(path as the manifest has it, place) of the files of a kind, by name."""
        root, count = self.package.root, 0
        for folder in self.package.folders[kind]:
            if not inside(root / folder, self.top):
                continue
            for where, below, names in os.walk(root / folder):
                if Path(where) == root:  # a project whose models stand at its top
                    below[:] = [name for name in below if name not in _NOT_OURS and not name.startswith(".")]
                below.sort()
                for name in sorted(names):
                    place = Path(where, name)
                    count += 1
                    if place.suffix in endings and count <= MAX_FILES and not place.is_symlink():
                        yield place.relative_to(root).as_posix(), place

    def _code(self, kind: str, path: str, place: Path) -> None:
        """A model, seed or snapshot: as the manifest has it where its text is the same, else as its file has it."""
        text = "" if kind == "seed" else file_content(place).decode("utf-8-sig", "replace")
        mine = [i for i in self.known.get(path, []) if not i.startswith("test.")]
        for unique_id in mine:
            node = self.own.nodes[unique_id]
            self.stems[kind, place.stem] = unique_id
            if kind != "seed" and not _same(node, text):
                self.own.nodes[unique_id] = _with_text(node, text)
                self.own.changed.add(unique_id)
        if mine:
            return
        found = _SNAPSHOT.search(text) if kind == "snapshot" else None
        name = found[1] if found else place.stem
        unique_id = f"{kind}.{self.package.name}.{name}"
        if any(_same(node, text) for node in _nodes(self.disabled.get(unique_id))):
            return
        enabled = not any(_DISABLED.search(said[1]) for said in _CONFIG.finditer(text)) and self._enabled(path)
        node = Node(
            unique_id=unique_id, name=name, resource_type=kind, package_name=self.package.name,
            original_file_path=path, schema=self.package.name, alias=name, config=NodeConfig(enabled=enabled),
            relation_name=f'"{self.package.name}"."{name}"', language="python" if place.suffix == ".py" else "sql",
        )  # fmt: skip
        self.own.nodes[unique_id] = _with_text(node, text)
        self.own.changed.add(unique_id)
        self.stems[kind, place.stem] = unique_id

    def _enabled(self, path: str) -> bool:
        """What dbt_project.yml says of a model's folder, where it says it without Jinja."""
        said: Any = self.package.models
        enabled = True
        for part in (self.package.name, *PurePosixPath(path).with_suffix("").parts[1:]):
            said = said.get(part) if isinstance(said, dict) else None
            if isinstance(said, dict):
                enabled = said.get("+enabled", said.get("enabled", enabled)) is not False
        return enabled

    def _gone(self, path: str) -> bool:
        """Whether a file of the manifest is not there any more, in a folder that is."""
        top = path.partition("/")[0]
        known = {PurePosixPath(f).parts[0] for kind in _FOLDERS for f in self.package.folders[kind] if f}
        return top in known and (self.package.root / top).is_dir() and not (self.package.root / path).exists()

    def _forget(self, paths: Iterable[str], *, declared: bool = False) -> None:
        """Leave out what stands in files that are gone, or only what YAML declares there."""
        nodes, patches = self.own.nodes, {f"{self.package.name}://{path}" for path in paths}
        for path in paths:
            for unique_id in self.known.get(path, []):
                if not declared or unique_id.startswith(("source.", "test.")):
                    self._old[unique_id] = nodes.pop(unique_id)
        for unique_id, node in nodes.items() if patches else ():
            if node.patch_path in patches:
                nodes[unique_id] = replace(node, columns=None, constraints=None, patch_path=None, primary_key=None)

    def _newer(self, place: Path) -> bool:
        try:
            return self.written is None or place.stat().st_mtime > self.written
        except OSError:  # removed meanwhile
            return False

    def _yaml(self, path: str, place: Path) -> None:
        try:
            said = read_own_yaml(load_yaml(file_content(place), place), path, self.package.name)
        except ConfigError as problem:
            self.own.warnings.append(problem.message)
            self.own.unread.append(path)
            return
        for unique_id, source in said.sources.items():
            self.own.nodes[unique_id] = _as_before(source, self._old.get(unique_id))
        self._patch(said)
        self.own.nodes |= test_nodes(said, path, self.package.name)

    def _patch(self, said: Said) -> None:
        for (kind, stem), about in said.properties.items():
            unique_id = self.stems.get((kind, stem)) or about.unique_id or ""
            if node := self.own.nodes.pop(unique_id, None):
                new = patched(node, about)
                self.own.nodes[new.unique_id or unique_id] = new
                self.stems[kind, stem] = new.unique_id or unique_id
                if unique_id in self.own.changed:
                    self.own.changed.add(new.unique_id or unique_id)

    def _refer(self) -> None:
        """What the SQL of changed models selects from, now that every node is there."""
        by_end: dict[str, str] = {}
        for unique_id, node in self.own.nodes.items():
            kind, _, name = unique_id.partition(".")
            if kind in ("source", *_FOLDERS):
                call = "source" if kind == "source" else "ref"
                for key in (name, name.partition(".")[2]):
                    by_end.setdefault(f"{call}:{key.lower()}", unique_id)
                if node.version is not None:
                    by_end.setdefault(f"ref:{node.name.lower()}", unique_id)
        for unique_id in sorted(self.own.changed & set(self.own.nodes)):
            node = self.own.nodes[unique_id]
            found = [by_end[name] for name in map(str.lower, references(node.raw)) if name in by_end]
            self.own.nodes[unique_id] = replace(node, depends_on=DependsOn(list(dict.fromkeys(found))))

    def _unread(self) -> None:
        """Name the changed files that only dbt can read."""
        nodes = ((self.own.nodes[i], i) for i in sorted(self.own.changed & set(self.own.nodes)))
        self.own.unread += [
            node.file
            for node, _ in nodes
            if node.language == "sql" and node.resource_type == "model" and node.raw and plain_sql(node.raw) is None
        ]
        if self.written is None:
            return
        places = [("dbt_project.yml", self.package.root / "dbt_project.yml"), *self._files("macro", (".sql",))]
        for path, place in places:
            try:
                newer = place.stat().st_mtime > self.written + GRACE
            except OSError:
                continue
            self.own.unread += [path] if newer else []


def _as_before(source: Node, old: Node | None) -> Node:
    """A source as its YAML declares it, at the place where dbt has found it: that may have been Jinja."""
    if old is None:
        return source
    return replace(source, schema=old.schema, database=old.database, relation_name=old.relation_name)


def _nodes(said: Any) -> list[Node]:
    """Nodes of a part of the manifest that is not decoded; none where they are not as dbt writes them."""
    try:
        return convert(said or [], list[Node], strict=False)
    except ValidationError:
        return []


def _with_text(node: Node, text: str) -> Node:
    return replace(node, raw_code=text, raw_sql=None, compiled_code=None, compiled_sql=None)


def _same(node: Node, text: str) -> bool:
    """Whether ``text`` is what the node was made of: by its checksum, else by its code."""
    said = (node.checksum.checksum if node.checksum else None) or ""
    bare = text.strip()
    marks = {sha256(version.encode()).hexdigest() for version in (bare, text, bare.replace("\r\n", "\n"))}
    return said in marks or (bool(node.raw) and node.raw.strip() == bare)


def file_content(path: Path) -> bytes:
    """The bytes of a file; none of one that cannot be read, is too large or leads nowhere."""
    try:
        return (read_bounded(path, MAX_BYTES) or b"") if path.is_file() else b""
    except (OSError, ValueError):
        return b""
