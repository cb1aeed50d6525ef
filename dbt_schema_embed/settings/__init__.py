"""Settings: flags > environment > file > defaults, read and checked once, frozen."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from dbt_schema_embed.errors import ConfigError, near_hint, nearest, printable
from dbt_schema_embed.records import Targets as Targets
from dbt_schema_embed.settings.reading import FILES, from_files
from dbt_schema_embed.settings.trusted import GUARDED, is_trusted, keep

Quantization = Literal["float32", "float16", "bfloat16", "int8"]

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
    "EMBEDDING_REDIS_KEY": "redis_key",
    "EMBEDDING_REDIS_CHECK": "redis_check",
    "EMBEDDING_RAY_ADDRESS": "ray_address",
    "EMBEDDING_CHROMA_URL": "chroma_url",
    "EMBEDDING_CHROMA_TOKEN": "chroma_token",
}
FLAG = "command line"
_DEFAULT_ENCODER = "all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set, with its default. Every field is a key of the settings file; ENV_NAMES lists the variables."""

    model_name: str = _DEFAULT_ENCODER  # encoder: a name, or the path of a folder
    batch_size: int | None = None  # most rows in one batch; None: chosen from the work and the device
    use_gpu: bool | None = None  # None: CUDA or MPS when present
    quantization: Quantization = "float32"  # precision of the weights
    dimensions: int | None = None  # of the vectors in the index, reduced by PCA; None: the encoder's
    enable_caching: bool = True  # False: no memo is read or written, none is kept within the process
    cache_dir: str | None = None  # None: the user's cache folder
    cache_ttl: int | None = None  # seconds a memo entry lives; None: for ever
    redis_url: str | None = field(default=None, repr=False)  # a server that shares the memo; may hold a password
    redis_key: str | None = field(default=None, repr=False)  # signs vectors there: no other tenant can make them
    redis_check: int = 20  # without redis_key: of so many vectors from there, one is encoded and compared
    ray_address: str | None = None  # of a cluster on which `index` encodes: local, ray://host:port, auto or host:port
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
        project_dir: str | Path = ".",
        flags: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        *,
        told: list[str] | None = None,
    ) -> "Settings":
        """Settings for the project in ``project_dir``. ``flags`` that are None do not count.

        Servers, caches and encoders that the project's own file names count once the user trusts them (see `trust`);
        ``told`` is given a line where some do not.

        Raises:
            ConfigError: an unknown key or a bad value; it names the nearest valid one.
        """
        return cls(**{name: value for name, (value, _) in found(Path(project_dir), flags, env, told=told).items()})


ENV_NAMES: Mapping[str, str] = _ENV
"""Environment variable -> field of Settings."""

SECRETS = frozenset({"redis_url", "redis_key", "chroma_url", "chroma_token"})
"""Fields whose values are never shown."""


def found(
    project_dir: Path,
    flags: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    *,
    told: list[str] | None = None,
) -> dict[str, tuple[Any, str]]:
    """The settings that somebody has set: ``{field: (value, where)}``, each value checked.

    ``where`` is a file's name, an environment variable or `FLAG`. ``told`` and what is raised: as in `Settings.load`.
    """
    values, guarded = _of_file(project_dir)
    held = {} if not guarded or is_trusted(project_dir, guarded) else guarded
    where = next((w for _, w in values.values()), "")
    values = {name: value for name, value in values.items() if name not in held}
    for name, text in (os.environ if env is None else env).items():
        if name in _ENV:
            if text.strip():
                values[_ENV[name]] = (parsed(_ENV[name], text.strip(), name), name)
        elif name.startswith("EMBEDDING_") and nearest(name, _ENV, cutoff=0.8):
            # a misspelling of ours; other tools have EMBEDDING_ variables of their own
            raise ConfigError(f"unknown environment variable {name}", hint=_nearest(name, list(_ENV)))
    values |= {_known(name, "the command line"): (v, FLAG) for name, v in (flags or {}).items() if v is not None}
    for name, (value, place) in values.items():
        _check(name, value, place)
    if told is not None and (names := sorted(held.keys() - values.keys())):
        told.append(
            f"{', '.join(names)} of {where} {'do' if len(names) > 1 else 'does'} not count: a project may not choose "
            "servers, caches and encoders for you; if you trust this one, run again with --trust"
        )
    return values


def trust(project_dir: Path) -> None:
    """From now on the servers, caches and encoders that the settings file in ``project_dir`` names today count.

    Raises:
        ConfigError: as `Settings.load`.
        WriteError: the user's folder of settings cannot be written.
    """
    keep(project_dir, _of_file(project_dir)[1])


def _of_file(project_dir: Path) -> tuple[dict[str, tuple[Any, str]], dict[str, Any]]:
    """The settings in the project's file with its name, and those of them that need trust."""
    table, where = from_files(project_dir)
    values = {_known(str(key), str(project_dir / where)): (value, where) for key, value in table.items()}
    guarded = {f.name: values[f.name][0] for f in fields(Settings) if f.name in GUARDED and f.name in values}
    for name, value in guarded.items():
        _check(name, value, where)
    return values, {name: value for name, value in guarded.items() if value not in (None, _DEFAULT_ENCODER)}


_KINDS: dict[str, str] = {
    "batch_size": "count", "max_workers": "count", "memory_limit_mb": "count", "cache_ttl": "count",
    "dimensions": "count", "redis_check": "count",
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
        raise ConfigError(f"{name} cannot be set by {where}", hint=f"write it into one of {', '.join(FILES)}")
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
    return f"{name} in {where}" if where in FILES else name


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
    return near_hint(word, known, 0.5) or f"known are: {', '.join(sorted(known))}"
