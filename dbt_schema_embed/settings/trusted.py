"""What a repository may not decide alone: servers, caches and encoders count once the user says so.

Kept per folder, with a digest of what was trusted: when a pull request changes an address, the user is asked anew.
"""

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from dbt_schema_embed.errors import WriteError, printable
from dbt_schema_embed.files import read_bounded, replacing

GUARDED = frozenset({"cache_dir", "chroma_token", "chroma_url", "model_name", "ray_address", "redis_url"})
"""Fields that send something somewhere, write somewhere, or decide what vectors are."""

_KEPT_BYTES = 2**20


def is_trusted(project_dir: Path, values: Mapping[str, Any]) -> bool:
    """Whether the user trusts exactly these values of the folder's settings."""
    return _kept().get(_name(project_dir)) == _digest(values)


def keep(project_dir: Path, values: Mapping[str, Any]) -> None:
    """Trust these values of the folder's settings from now on; none: trust nothing there any more.

    Raises:
        WriteError: the user's folder of settings cannot be written.
    """
    kept = _kept()
    kept.pop(_name(project_dir), None)
    if values:
        kept[_name(project_dir)] = _digest(values)
    path = _path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(path) as stream:
            stream.write(json.dumps(kept, indent=1, sort_keys=True).encode())
    except OSError as problem:
        raise WriteError(f"{printable(path)} could not be written: {problem.strerror}") from None


def _path() -> Path:
    from platformdirs import user_config_path

    return user_config_path("dbt-schema-embed", appauthor=False) / "trusted.json"


def _kept() -> dict[str, str]:
    try:
        kept = json.loads(read_bounded(_path(), _KEPT_BYTES) or b"")
    except (OSError, ValueError, RecursionError):
        return {}
    return {str(k): str(v) for k, v in kept.items()} if isinstance(kept, dict) else {}


def _name(project_dir: Path) -> str:
    return os.path.realpath(project_dir).encode("utf-8", "surrogatepass").decode("utf-8", "backslashreplace")


def _digest(values: Mapping[str, Any]) -> str:
    return sha256(json.dumps(sorted(values.items()), default=str).encode()).hexdigest()
