"""Settings: flags > environment > file > defaults, read and checked once, frozen."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from dbt_schema_embed.errors import ConfigError

Quantization = Literal["float32", "float16", "bfloat16", "int8"]
Targets = Literal["auto", "all"]

_ENV = {
    "EMBEDDING_BATCH_SIZE": "batch_size",
    "EMBEDDING_MODEL_NAME": "model_name",
    "EMBEDDING_USE_GPU": "use_gpu",
    "EMBEDDING_QUANTIZATION": "quantization",
    "EMBEDDING_CACHE_TTL": "cache_ttl",
    "EMBEDDING_MAX_WORKERS": "max_workers",
    "EMBEDDING_USE_APPROXIMATE_SEARCH": "use_approximate_search",
    "EMBEDDING_MEMORY_LIMIT_MB": "memory_limit_mb",
    "EMBEDDING_ENABLE_CACHING": "enable_caching",
    "EMBEDDING_ENABLE_PARALLEL_PROCESSING": "enable_parallel_processing",
    "EMBEDDING_REDIS_URL": "redis_url",
    "EMBEDDING_CHROMA_URL": "chroma_url",
}
_FILES = ("pyproject.toml", "dbt_schema_embed.yml", "dbt_project.yml")


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set, with its default. Every field is a key of the settings file; ENV_NAMES lists the variables."""

    model_name: str = "all-MiniLM-L6-v2"  # encoder: a name, or the path of a folder
    batch_size: int | None = None  # most rows in one batch; None: chosen from the work and the device
    use_gpu: bool | None = None  # None: CUDA or MPS when present
    quantization: Quantization = "float32"
    enable_caching: bool = True  # False: no memo is read or written
    cache_dir: str | None = None  # None: the user's cache folder
    cache_ttl: int | None = None  # seconds a memo entry lives; None: for ever
    redis_url: str | None = None
    max_workers: int | None = None  # None: the number of cores
    enable_parallel_processing: bool = True
    memory_limit_mb: int | None = None  # above the loaded encoder
    use_approximate_search: bool | None = None  # None: whichever is faster at equal results
    chroma_url: str | None = None
    chroma_token: str | None = field(default=None, repr=False)
    dialect: str | None = None  # sqlglot dialect where the artifacts do not say
    targets: Targets = "auto"
    mappings_dir: str = "schema_mappings"  # relative to the project
    store_samples: bool = False

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
        values = _from_files(project_dir)
        for name, text in (os.environ if env is None else env).items():
            if name in _ENV:
                if text.strip():
                    values[_ENV[name]] = _parse(_ENV[name], text.strip(), name)
            elif name.startswith("EMBEDDING_") and difflib.get_close_matches(name, _ENV, n=1, cutoff=0.8):
                # a misspelling of ours; other tools have EMBEDDING_ variables of their own
                raise ConfigError(f"unknown environment variable {name}", hint=_nearest(name, list(_ENV)))
        values |= {k: v for k, v in (flags or {}).items() if v is not None}
        return cls(**values)


ENV_NAMES: Mapping[str, str] = _ENV
"""Environment variable -> field of Settings."""

_KINDS: dict[str, str] = {
    "batch_size": "count", "max_workers": "count", "memory_limit_mb": "count", "cache_ttl": "count",
    "use_gpu": "bool", "enable_caching": "bool", "enable_parallel_processing": "bool",
    "use_approximate_search": "bool", "store_samples": "bool",
}  # fmt: skip
_CHOICES = {"quantization": get_args(Quantization), "targets": get_args(Targets)}
_OPTIONAL = {f.name for f in fields(Settings) if f.default is None}


def _check(name: str, value: Any) -> None:
    if value is None and name in _OPTIONAL:
        return
    kind = _KINDS.get(name, "text")
    if kind == "count" and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise ConfigError(f"{name} is {value!r}: it must be a whole number, 1 or more")
    if kind == "bool" and not isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}: it must be true or false")
    if kind == "text" and (not isinstance(value, str) or not value):
        raise ConfigError(f"{name} is {value!r}: it must be text")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ConfigError(f"{name} is {value!r}", hint=_nearest(str(value), list(_CHOICES[name])))


def _parse(name: str, text: str, where: str) -> Any:
    kind = _KINDS.get(name, "text")
    if kind == "bool":
        word = text.lower()
        if word in ("1", "true", "yes", "on"):
            return True
        if word in ("0", "false", "no", "off"):
            return False
        raise ConfigError(f"{where} is {text!r}: it must be true or false")
    if kind == "count":
        if not text.isdigit():
            raise ConfigError(f"{where} is {text!r}: it must be a whole number, 1 or more")
        return int(text)
    return text


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known are: {', '.join(sorted(known))}"


def _from_files(project_dir: Path) -> dict[str, Any]:
    known = [f.name for f in fields(Settings)]
    found: dict[str, Any] = {}
    where = ""
    for name in _FILES:
        path = project_dir / name
        table = _table(path) if path.is_file() else {}
        if not table:
            continue
        if found:
            raise ConfigError(
                f"settings stand in both {where} and {name} of {project_dir}", hint="keep them in one file"
            )
        for key in table:
            if key.replace("-", "_") not in known:
                raise ConfigError(f"unknown setting {key!r} in {path}", hint=_nearest(key, known))
        found, where = {k.replace("-", "_"): v for k, v in table.items()}, name
    return found


def _table(path: Path) -> dict[str, Any]:
    try:
        if path.suffix == ".toml":
            data = tomllib.loads(path.read_text("utf-8")).get("tool", {}).get("dbt-schema-embed", {})
        else:
            import yaml

            # Jinja in a dbt_project.yml may not be YAML at all: dbt itself says so better than we can.
            data = yaml.load(path.read_text("utf-8-sig"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}  # noqa: S506
            if path.name == "dbt_project.yml":
                data = ((data.get("vars") or {}).get("schema_embed")) or {}
    except (OSError, UnicodeDecodeError, ValueError, AttributeError) as problem:
        raise ConfigError(f"{path} cannot be read: {problem}") from None
    except Exception as problem:  # yaml.YAMLError: yaml is not imported unless a YAML file stands there
        raise ConfigError(f"{path} is not YAML: {str(problem).splitlines()[0]}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"the settings in {path} must be a mapping of names to values")
    return data
