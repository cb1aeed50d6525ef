"""`doctor`: what is installed, found and missing, and what to do about it. Nothing is changed."""

import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dbt_schema_embed import __version__
from dbt_schema_embed.decide.mappings import load_mappings
from dbt_schema_embed.errors import SchemaEmbedError, printable
from dbt_schema_embed.extras import EXTRAS, has_embed, lacking
from dbt_schema_embed.read.opening import open_project, scratch_folder
from dbt_schema_embed.records import Artifacts
from dbt_schema_embed.settings import FLAG, SECRETS, Settings, found

if TYPE_CHECKING:
    from dbt_schema_embed.embed.memo import MemoEmbedder

State = Literal["ok", "note", "missing", "broken"]

_SHOWN_VERSIONS = ("sqlglot", "numpy", "onnxruntime", "torch", "sentence-transformers", "chromadb", "dbt-core")
_DAY = 86_400.0
_DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. "missing" is optional, "broken" keeps `suggest` from running."""

    topic: str
    state: State
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What doctor found."""

    findings: tuple[Finding, ...]

    @property
    def failed(self) -> bool:
        """Whether something that `suggest` needs is broken."""
        return any(f.state == "broken" for f in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it, schema_version 1."""
        return {"schema_version": 1, "ok": not self.failed, "findings": [asdict(f) for f in self.findings]}


def diagnose(
    settings: Settings, project_dir: Path, artifacts: Artifacts, open_encoder: "Callable[[], MemoEmbedder]"
) -> Diagnosis:
    """Look at everything a run needs; ``open_encoder`` opens one for a try that is closed again."""
    looks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("versions", _versions),
        ("extras", lambda: _extras(settings)),
        ("settings", lambda: _settings(settings, project_dir)),
        ("encoder", lambda: _encoder(settings, open_encoder)),
        ("memo", lambda: _memo(settings)),
        ("services", lambda: _services(settings)),
        ("project", lambda: _project(project_dir, artifacts, settings)),
        ("index", lambda: _index(project_dir, artifacts)),
    ]
    findings: list[Finding] = []
    for topic, look in looks:
        try:
            findings += look()
        except SchemaEmbedError as problem:
            findings.append(Finding(topic, "broken", problem.message, problem.hint))
    return Diagnosis(tuple(findings))


def _versions() -> Iterator[Finding]:
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield Finding("versions", "ok", f"dbt-schema-embed {__version__}, {python}")
    installed = [f"{name} {found}" for name in _SHOWN_VERSIONS if (found := _version(name))]
    yield Finding("versions", "ok", ", ".join(installed))
    dbt = shutil.which("dbt")
    if dbt:
        yield Finding("versions", "ok", f"dbt: {printable(dbt)}")
    else:
        yield Finding(
            "versions", "missing", "no dbt on PATH: profile and fresh artifacts need it",
            "install dbt, or run in the environment that has it",
        )  # fmt: skip


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _extras(settings: Settings) -> Iterator[Finding]:
    for extra in EXTRAS:
        gone = lacking(extra)
        if extra == "dbt" and shutil.which("dbt"):
            continue  # it need not live in the same environment
        if not gone:
            yield Finding("extras", "ok", f"[{extra}] is installed")
            continue
        needed = (
            (extra == "redis" and settings.redis_url)
            or (extra == "ray" and settings.ray_address)
            or (extra == "chroma" and settings.use_approximate_search and not settings.chroma_url)
        )
        yield Finding(
            "extras",
            "broken" if needed else "missing",
            f"[{extra}] is not installed: {', '.join(gone)}",
            f"pip install 'dbt-schema-embed[{extra}]'",
        )


def _settings(settings: Settings, project_dir: Path) -> Iterator[Finding]:
    places = {name: where for name, (_, where) in found(project_dir).items()}
    changed = [f.name for f in fields(settings) if getattr(settings, f.name) != getattr(_DEFAULTS, f.name)]
    for name in sorted({*changed, *places}):
        shown = "(not shown)" if name in SECRETS else printable(getattr(settings, name), 80)
        yield Finding("settings", "ok", f"{name} = {shown}   from {places.get(name, FLAG)}")
    if not changed and not places:
        yield Finding("settings", "ok", "all at their defaults")
    if not settings.enable_caching:
        yield Finding("settings", "note", "enable_caching is false: every run encodes everything again")


def _encoder(settings: Settings, open_encoder: "Callable[[], MemoEmbedder]") -> Iterator[Finding]:
    if not has_embed():
        yield Finding(
            "encoder", "missing", "none is installed: meanings are compared by a table of word pieces, nearly as well",
            "pip install 'dbt-schema-embed[embed]' brings one; its weights come from the hub at the first use",
        )  # fmt: skip
        return
    from dbt_schema_embed.embed.encoder_of_others import encoder_of_others
    from dbt_schema_embed.embed.locate import DEFAULT_INSTALL, is_default, weights_from

    if other := encoder_of_others(settings.model_name):
        yield Finding("encoder", "ok", f"{printable(other.name)}: {other.dim} dimensions, of another package")
    else:
        here, said = weights_from(settings.model_name)
        if not here:
            name = printable(settings.model_name)
            advice = f"without a network: {DEFAULT_INSTALL}" if is_default(settings.model_name) else "or set model_name"
            yield Finding("encoder", "note", f"{name}: the weights come {said}", advice)
            return
        yield from _weights(settings, said)
    start = time.perf_counter()
    with closing(open_encoder()) as embedder:  # its notes are about this try only
        device = embedder.runs_on()
        loaded = time.perf_counter() - start
        embedder.embed(["doctor"], remember=False)
        yield Finding("encoder", "ok", f"runs on {device}; ready {loaded:.1f} s after the first text that is not known")
        for note in embedder.notes:
            yield Finding("encoder", "note", note)


def _weights(settings: Settings, said: str) -> Iterator[Finding]:
    from dbt_schema_embed.embed import cache_folder
    from dbt_schema_embed.embed.encoder_files import read_files
    from dbt_schema_embed.embed.weights import weights_hash

    files = read_files(settings.model_name)
    weights = weights_hash(files, cache_folder(settings.cache_dir))
    verified = "weights are the published ones" if files.pinned else "weights are nobody's published ones"
    yield Finding("encoder", "ok", f"{files.name}: {files.dim} dimensions, {verified} (SHA-256 {weights[:12]}...)")
    yield Finding("encoder", "ok", f"the weights come {said}: {printable(files.folder)}")


def _memo(settings: Settings) -> Iterator[Finding]:
    if not settings.enable_caching or not has_embed():
        return
    from dbt_schema_embed.embed import cache_folder, memo_stats

    stats = memo_stats(cache_folder(settings.cache_dir))
    path = Path(stats["path"])
    size = (
        f"{stats['entries']:,} vectors, {stats['bytes'] / 2**20:.1f} MB of at most {stats['size_limit'] / 2**30:.0f} GB"
    )
    here = next(p for p in (path, *path.parents) if p.exists())
    if os.access(here, os.W_OK):
        yield Finding("memo", "ok", f"{printable(path)}: {size}")
    else:
        yield Finding(
            "memo", "note", f"{printable(path)} cannot be written: {size}", "set cache_dir, or EMBEDDING_CACHE_DIR"
        )
    for note in stats["notes"]:
        yield Finding("memo", "note", note)


def _services(settings: Settings) -> Iterator[Finding]:
    for name, url in (("redis_url", settings.redis_url), ("chroma_url", settings.chroma_url)):
        if url:
            problem = _unreachable(url)
            state: State = "note" if problem else "ok"
            text = f"the server of {name} does not answer: {problem}" if problem else f"the server of {name} answers"
            yield Finding("services", state, text, "runs go on without it" if problem else "")


def _unreachable(url: str) -> str:
    """Why nobody answers at a URL; empty when somebody does."""
    import socket
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        port = parts.port or {"redis": 6379, "rediss": 6379, "https": 443}.get(parts.scheme, 80)
        with socket.create_connection((parts.hostname or "", port), timeout=1.0):
            return ""
    except (OSError, ValueError) as problem:
        return getattr(problem, "strerror", None) or type(problem).__name__


def _project(project_dir: Path, artifacts: Artifacts, settings: Settings) -> Iterator[Finding]:
    from dbt_schema_embed.read.artifacts import load_manifest

    opened = open_project(project_dir, artifacts, settings.dialect, values=False)
    project, manifest = opened.project, Path(opened.project.manifest)
    head = load_manifest(manifest).metadata
    said = [head.dbt_version and f"dbt {head.dbt_version}", head.adapter_type] if head else []
    age = _age(time.time() - manifest.stat().st_mtime)
    words = ", ".join(printable(word, 60) for word in (*said, f"{age} old") if word)
    yield Finding("project", "ok", f"{printable(project.name)}: {printable(manifest)} ({words})")
    yield from _columns(project, bool(_catalog(manifest, artifacts)) or any(r.in_catalog for r in project.relations))
    mappings = load_mappings(project_dir, settings.mappings_dir)
    count = len(mappings.files) + len(mappings.errors)
    yield Finding("project", "ok", f"{count} mapping files in {printable(mappings.folder)}")
    for error in mappings.errors:
        yield Finding("project", "broken", error.message, error.hint)
    for warning in project.warnings[:5]:
        yield Finding("project", "note", warning)


def _columns(project: Any, catalog: bool) -> Iterator[Finding]:
    sources = [r for r in project.relations if r.kind == "source"]
    models = [r for r in project.relations if r.kind == "model"]
    bare = sum(not r.columns for r in (*sources, *models))
    yield Finding(
        "project",
        "ok" if sources else "broken",
        f"{len(sources)} source tables with {sum(len(r.columns) for r in sources):,} columns, "
        f"{len(models)} models with {sum(len(r.columns) for r in models):,}, "
        f"{len(project.lineage):,} columns traced through SQL",
        "" if sources else "declare the raw tables under `sources:` in a YAML file, then run: dbt parse",
    )
    if not catalog:
        yield Finding(
            "project", "missing", "no catalog: columns and types are those of the YAML and the SQL",
            "run: dbt docs generate, in dbt 2: dbt compile --write-catalog",
        )  # fmt: skip
    elif bare:
        yield Finding(
            "project", "note", f"{bare} tables and models have no column that is known: they are passed over",
            "run dbt docs generate where these tables exist, or list their columns in YAML",
        )  # fmt: skip
    if models and not project.lineage:
        yield Finding(
            "project", "note", "no SQL was traced: existing mappings and the project's habits are not known",
            "run: dbt compile",
        )  # fmt: skip


def _catalog(manifest: Path, artifacts: Artifacts) -> Path | None:
    path = artifacts.get("catalog") or manifest.parent / "catalog.json"
    return path if path.exists() else None


def _index(project_dir: Path, artifacts: Artifacts) -> Iterator[Finding]:
    if find_spec("numpy") is None:
        return
    from dbt_schema_embed.arrays import DamagedError, Parts
    from dbt_schema_embed.index.vectors import FILE

    folder = scratch_folder(project_dir, artifacts.get("target_path")) / "index"
    try:
        parts = Parts(folder / FILE)
    except FileNotFoundError:
        yield Finding("index", "ok", "not built yet: search builds it when it is needed")
        return
    except DamagedError as problem:
        yield Finding("index", "note", f"{printable(folder)} is damaged: {problem}", "the next search builds it anew")
        return
    with closing(parts):
        yield Finding("index", "ok", f"{printable(folder)}: {parts.shape('columns')[0]:,} columns")


def _age(seconds: float) -> str:
    for unit, length in (("days", _DAY), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} seconds"
