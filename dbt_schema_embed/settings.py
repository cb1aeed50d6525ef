"""Settings: flags > environment > file > defaults, read and checked once, frozen."""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from dbt_schema_embed.errors import ConfigError, printable

Quantization = Literal["float32", "float16", "bfloat16", "int8"]
Targets = Literal["auto", "all"]

_ENV = {
    "EMBEDDING_BATCH_SIZE": "batch_size",
    "EMBEDDING_MODEL_NAME": "model_name",
    "EMBEDDING_USE_GPU": "use_gpu",
    "EMBEDDING_QUANTIZATION": "quantization",
    "EMBEDDING_DIMENSIONS": "dimensions",
    "EMBEDDING_CACHE_DIR": "cache_dir",
    "EMBEDDING_CACHE_TTL": "cache_ttl",
    "EMBEDDING_MAX_WORKERS": "max_workers",
    "EMBEDDING_USE_APPROXIMATE_SEARCH": "use_approximate_search",
    "EMBEDDING_MEMORY_LIMIT_MB": "memory_limit_mb",
    "EMBEDDING_ENABLE_CACHING": "enable_caching",
    "EMBEDDING_ENABLE_PARALLEL_PROCESSING": "enable_parallel_processing",
    "EMBEDDING_REDIS_URL": "redis_url",
    "EMBEDDING_CHROMA_URL": "chroma_url",
    "EMBEDDING_CHROMA_TOKEN": "chroma_token",
}
_FILES = ("pyproject.toml", "dbt_schema_embed.yml", "dbt_project.yml")
_FILE_BYTES = 2**20  # no settings file is larger; a dbt_project.yml may come from anybody
_FILE_DEPTH = 60
_OURS = re.compile(rb"""^[ \t{]*["']?schema_embed["']?[ \t]*:""", re.MULTILINE)
FLAG = "command line"


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set, with its default. Every field is a key of the settings file; ENV_NAMES lists the variables."""

    model_name: str = "all-MiniLM-L6-v2"  # encoder: a name, or the path of a folder
    batch_size: int | None = None  # most rows in one batch; None: chosen from the work and the device
    use_gpu: bool | None = None  # None: CUDA or MPS when present
    quantization: Quantization = "float32"  # precision of the weights
    dimensions: int | None = None  # of the vectors in the index, reduced by PCA; None: the encoder's
    enable_caching: bool = True  # False: no memo is read or written
    cache_dir: str | None = None  # None: the user's cache folder
    cache_ttl: int | None = None  # seconds a memo entry lives; None: for ever
    redis_url: str | None = field(default=None, repr=False)  # a server that shares the memo; may hold a password
    max_workers: int | None = None  # None: the number of cores
    enable_parallel_processing: bool = True  # False: one core, one device
    memory_limit_mb: int | None = None  # above the loaded encoder
    use_approximate_search: bool | None = None  # None: exact, or a server where that is faster
    chroma_url: str | None = field(default=None, repr=False)  # a server that shares the index; may hold a password
    chroma_token: str | None = field(default=None, repr=False)  # its access token
    dialect: str | None = None  # sqlglot dialect where the artifacts do not say
    targets: Targets = "auto"  # models to suggest for: those that could be fed next, or all
    mappings_dir: str = "schema_mappings"  # relative to the project
    store_samples: bool = False  # True: what `profile` keeps may hold sample values
    alerts: Mapping[str, float] = field(default_factory=dict)  # figure of a run -> its limit; see observe/alerts.py
    severity: Mapping[str, str] = field(default_factory=dict)  # rule of check -> error, warning or off
    baseline: str = "schema_embed_baseline.json"  # findings that check passes over, relative to the project

    def __post_init__(self) -> None:
        for f in fields(self):
            _check(f.name, getattr(self, f.name))

    @classmethod
    def load(
        cls,
        project_dir: Path,
        flags: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> "Settings":
        """Settings for the project in ``project_dir``. ``flags`` that are None do not count.

        Raises:
            ConfigError: an unknown key or a bad value; it names the nearest valid one.
        """
        return cls(**{name: value for name, (value, _) in found(project_dir, flags, env).items()})


ENV_NAMES: Mapping[str, str] = _ENV
"""Environment variable -> field of Settings."""

SECRETS = frozenset({"redis_url", "chroma_url", "chroma_token"})
"""Fields whose values are never shown."""


def found(
    project_dir: Path, flags: Mapping[str, Any] | None = None, env: Mapping[str, str] | None = None
) -> dict[str, tuple[Any, str]]:
    """The settings that somebody has set: ``{field: (value, where)}``, each value checked.

    ``where`` is a file's name, an environment variable or `FLAG`. Raises as `Settings.load`.
    """
    values = _from_files(project_dir)
    for name, text in (os.environ if env is None else env).items():
        if name in _ENV:
            if text.strip():
                values[_ENV[name]] = (parsed(_ENV[name], text.strip(), name), name)
        elif name.startswith("EMBEDDING_") and difflib.get_close_matches(name, _ENV, n=1, cutoff=0.8):
            # a misspelling of ours; other tools have EMBEDDING_ variables of their own
            raise ConfigError(f"unknown environment variable {name}", hint=_nearest(name, list(_ENV)))
    values |= {_known(name, "the command line"): (v, FLAG) for name, v in (flags or {}).items() if v is not None}
    for name, (value, where) in values.items():
        _check(name, value, where)
    return values


_KINDS: dict[str, str] = {
    "batch_size": "count", "max_workers": "count", "memory_limit_mb": "count", "cache_ttl": "count",
    "dimensions": "count",
    "use_gpu": "bool", "enable_caching": "bool", "enable_parallel_processing": "bool",
    "use_approximate_search": "bool", "store_samples": "bool",
    "severity": "table", "alerts": "limits",
}  # fmt: skip
_CHOICES = {"quantization": get_args(Quantization), "targets": get_args(Targets)}
_NAMES = [f.name for f in fields(Settings)]
_OPTIONAL = {f.name for f in fields(Settings) if f.default is None}
_MEANINGS = {
    "count": "a whole number, 1 or more",
    "bool": "true or false",
    "text": "text",
    "table": "names and values, both text",
    "limits": "names and numbers, 0 or more",
}


def parsed(name: str, text: str, where: str) -> Any:
    """``text`` as the value of the field ``name``; ``where`` it was written goes into the error.

    Raises:
        ConfigError: an unknown field, or text that is no value of it.
    """
    kind = _KINDS.get(_known(name, where), "text")
    word = text.lower()
    if kind == "bool" and word in ("1", "true", "yes", "on"):
        return True
    if kind == "bool" and word in ("0", "false", "no", "off"):
        return False
    if kind == "count" and text.isascii() and text.isdigit():
        return int(text)
    if kind == "text":
        return text
    if kind in ("table", "limits"):
        raise ConfigError(f"{name} cannot be set by {where}", hint=f"write it into one of {', '.join(_FILES)}")
    raise ConfigError(f"{where} is {_shown(name, text)}: it must be {_MEANINGS[kind]}")


def _check(name: str, value: Any, where: str = "") -> None:
    if value is None and name in _OPTIONAL:
        return
    kind = _KINDS.get(name, "text")
    if not _is(kind, value):
        raise ConfigError(f"{_place(name, where)} is {_shown(name, value)}: it must be {_MEANINGS[kind]}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ConfigError(f"{_place(name, where)} is {value!r}", hint=_nearest(value, list(_CHOICES[name])))


def _is(kind: str, value: Any) -> bool:
    if kind == "count":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "table":
        return isinstance(value, Mapping) and all(isinstance(x, str) for pair in value.items() for x in pair)
    if kind == "limits":
        return isinstance(value, Mapping) and all(isinstance(k, str) and _is_limit(v) for k, v in value.items())
    return isinstance(value, str) and bool(value.strip())


def _is_limit(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _place(name: str, where: str) -> str:
    """What people call the value: the variable, or the field and the file it stands in."""
    if where in _ENV:
        return where
    return f"{name} in {where}" if where in _FILES else name


def _shown(name: str, value: Any) -> str:
    if name in SECRETS:
        return "something else"
    # a list or a mapping is not spelled out: aliases can make a short one endless
    return printable(repr(value), 80) if isinstance(value, str | int | float) else f"a {type(value).__name__}"


def _known(name: str, where: str) -> str:
    field_name = name.replace("-", "_")
    if field_name not in _NAMES:
        raise ConfigError(f"unknown setting {printable(repr(name), 80)} in {where}", hint=_nearest(name, _NAMES))
    return field_name


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word[:100], known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known are: {', '.join(sorted(known))}"


def _from_files(project_dir: Path) -> dict[str, tuple[Any, str]]:
    values: dict[str, tuple[Any, str]] = {}
    where = ""
    for name in _FILES:
        path = project_dir / name
        table = _table(path) if path.is_file() else {}
        if not table:
            continue
        if values:
            raise ConfigError(
                f"settings stand in both {where} and {name} of {printable(project_dir)}", hint="keep them in one file"
            )
        values = {_known(str(key), str(path)): (value, name) for key, value in table.items()}
        where = name
    return values


def _table(path: Path) -> dict[Any, Any]:
    """Our table of a settings file; empty where it has none."""
    content = _content(path)
    if path.suffix == ".toml":
        if b"dbt-schema-embed" not in content:
            return {}
        data = _toml(content, path).get("tool", {}).get("dbt-schema-embed", {})
    elif path.name == "dbt_project.yml":
        # dbt itself judges the rest of this file, and Jinja in it may be no YAML at all
        data = _yaml(content, path) if _OURS.search(content) else {}
        variables = data.get("vars") if isinstance(data, dict) else None
        data = (variables.get("schema_embed") if isinstance(variables, dict) else None) or {}
    else:
        data = _yaml(content, path) or {}
    if not isinstance(data, dict):
        raise ConfigError(f"the settings in {printable(path)} must be names and values")
    return data


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_FILE_BYTES + 1)
    except OSError as problem:
        raise ConfigError(f"{printable(path)} cannot be read: {problem.strerror}") from None
    if len(content) > _FILE_BYTES:
        raise ConfigError(f"{printable(path)} is larger than 1 MB: no settings are read from it")
    return content


def _toml(content: bytes, path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as problem:  # tomllib's and unicode's errors are ValueErrors
        raise ConfigError(f"{printable(path)} is not TOML: {printable(problem)}") from None
    return data if isinstance(data.get("tool", {}), dict) else {}


def _yaml(content: bytes, path: Path) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = content.decode("utf-8-sig")
        depth = 0
        for event in yaml.parse(text, Loader=loader):  # libyaml's loader crashes on deep text: see how deep it is first
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _FILE_DEPTH:
                raise ConfigError(f"{printable(path)} is nested deeper than {_FILE_DEPTH} levels")
        return yaml.load(text, Loader=loader)  # noqa: S506  both are safe loaders
    except (yaml.YAMLError, ValueError) as problem:
        said = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise ConfigError(f"{printable(path)} is not YAML: {printable(said)}") from None
