"""What changed since a commit: the suggestions that a pull request is about."""

import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from dbt_schema_embed.decide.mappings import load_mappings, owners
from dbt_schema_embed.decide.signing import git_program
from dbt_schema_embed.errors import ConfigError, MappingError, printable
from dbt_schema_embed.records import MappingFile, Opened, Suggestion
from dbt_schema_embed.write.mapping import parse_mapping

_SECONDS = 30


def changed_rows(rows: Iterable[Suggestion], opened: Opened, mappings_dir: str, ref: str) -> tuple[Suggestion, ...]:
    """The rows whose entry in a mapping file, model or, without a mapping file, source changed since ``ref``.

    Files that nobody has committed yet count.

    Raises:
        ConfigError: git is missing, or knows no such commit.
    """
    base = _base(opened.root, ref)
    names = _git(opened.root, "diff", "--name-only", "--relative", "-z", base, "--").split("\0")
    names += _git(opened.root, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
    changed = {name for name in names if name}
    relations = {r.id: r for r in opened.project.relations}
    files = {i: file for i, (_, file) in owners(opened, load_mappings(opened.root, mappings_dir)).items()}
    told = {i: _columns(file) for i, file in files.items() if file.path in changed}
    before = {i: _columns_then(opened.root, files[i].path, base) for i in told}

    def counts(row: Suggestion) -> bool:
        name = row.source_column.lower()
        if row.source in told and told[row.source].get(name) != before[row.source].get(name):
            return True
        model, source = relations.get(row.model or ""), relations.get(row.source)
        if model is not None and {model.path, model.yaml_path} & changed:
            return True
        return row.source not in files and source is not None and source.yaml_path in changed

    return tuple(row for row in rows if counts(row))


def _columns(file: MappingFile) -> dict[str, list[object]]:
    """What a mapping file says of each column, blind to lines."""
    found: dict[str, list[object]] = {}
    for row in file.columns:
        for name in row.source_columns:
            found.setdefault(name.lower(), []).append(replace(row, line=0))
    for kind in ("undecided", "unmapped"):
        for name in getattr(file, kind):
            found.setdefault(name.lower(), []).append(kind)
    return found


def _columns_then(root: Path, path: str, base: str) -> dict[str, list[object]]:
    try:
        return _columns(parse_mapping(_git(root, "show", f"{base}:./{path}"), path)[0])
    except (ConfigError, MappingError):  # it was not there, or no mapping file
        return {}


def _base(root: Path, ref: str) -> str:
    """The commit where this branch left ``ref``."""
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()
    try:
        return _git(root, "merge-base", found, "HEAD").strip()
    except ConfigError:  # no common history: a shallow clone
        return found


def _git(root: Path, *words: str) -> str:
    program = git_program()
    if not program:
        raise ConfigError("--changed-since needs git, which is not on PATH")
    try:
        done = subprocess.run([program, *words], cwd=root, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError) as problem:
        raise ConfigError(f"git cannot be run: {printable(problem)}") from None
    if done.returncode:
        said = printable(done.stderr.decode("utf-8", "replace").strip()) or "it knows no such commit"
        raise ConfigError(f"git {words[0]}: {said}", hint="name a commit or a branch that is here, e.g. origin/main")
    return done.stdout.decode("utf-8", "replace")
