"""The file that holds a project's settings, read within bounds: it may come from anybody."""

import re
import tomllib
from pathlib import Path
from typing import Any

from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.files import inside, read_bounded
from dbt_schema_embed.yaml_values import load_yaml

FILES = ("pyproject.toml", "dbt_schema_embed.yml", "dbt_project.yml")
_FILE_BYTES = 2**20  # no settings file is larger; a dbt_project.yml may come from anybody
_OURS = re.compile(rb"""^[ \t{]*["']?schema_embed["']?[ \t]*:""", re.MULTILINE)


def from_files(project_dir: Path) -> tuple[dict[Any, Any], str]:
    """What the settings file of a project holds, unchecked, and the file's name; empty where there is none.

    Raises:
        ConfigError: two files have settings; one is a link out of the project, too large, or not what its name says.
    """
    values: dict[Any, Any] = {}
    where = ""
    for name in FILES:
        path = project_dir / name
        if path.is_symlink() and not inside(path, project_dir):
            raise ConfigError(f"{printable(path)} is a link out of the project: no settings are read from it")
        table = _table(path) if path.is_file() else {}
        if not table:
            continue
        if values:
            raise ConfigError(
                f"settings stand in both {where} and {name} of {printable(project_dir)}", hint="keep them in one file"
            )
        values, where = table, name
    return values, where


def _table(path: Path) -> dict[Any, Any]:
    """Our table of a settings file; empty where it has none."""
    content = _content(path)
    if path.suffix == ".toml":
        if b"dbt-schema-embed" not in content:
            return {}
        data = _toml(content, path).get("tool", {}).get("dbt-schema-embed", {})
    elif path.name == "dbt_project.yml":
        # dbt itself judges the rest of this file, and Jinja in it may be no YAML at all
        data = load_yaml(content, path) if _OURS.search(content) else {}
        variables = data.get("vars") if isinstance(data, dict) else None
        data = (variables.get("schema_embed") if isinstance(variables, dict) else None) or {}
    else:
        data = load_yaml(content, path) or {}
    if not isinstance(data, dict):
        raise ConfigError(f"the settings in {printable(path)} must be names and values")
    return data


def _content(path: Path) -> bytes:
    try:
        content = read_bounded(path, _FILE_BYTES)
    except OSError as problem:
        raise ConfigError(f"{printable(path)} cannot be read: {problem.strerror}") from None
    if content is None:
        raise ConfigError(f"{printable(path)} is larger than 1 MB: no settings are read from it")
    return content


def _toml(content: bytes, path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as problem:  # tomllib's and unicode's errors are ValueErrors
        raise ConfigError(f"{printable(path)} is not TOML: {printable(problem)}") from None
    return data if isinstance(data.get("tool", {}), dict) else {}
