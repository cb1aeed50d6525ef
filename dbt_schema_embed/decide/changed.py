"""What changed since a commit: the suggestions that a pull request is about."""

from collections.abc import Iterable
from dataclasses import replace

from dbt_schema_embed.decide.git import Since
from dbt_schema_embed.decide.mappings import load_mappings, owners
from dbt_schema_embed.errors import ConfigError, MappingError
from dbt_schema_embed.records import MappingFile, Opened, Suggestion
from dbt_schema_embed.write.mapping import parse_mapping


def changed_rows(rows: Iterable[Suggestion], opened: Opened, mappings_dir: str, ref: str) -> tuple[Suggestion, ...]:
    """The rows whose entry in a mapping file, model or, without a mapping file, source changed since ``ref``.

    Files that nobody has committed yet count.

    Raises:
        ConfigError: git is missing, or knows no such commit.
    """
    since = Since(opened.root, ref)
    relations = {r.id: r for r in opened.project.relations}
    files = {i: file for i, (_, file) in owners(opened, load_mappings(opened.root, mappings_dir)).items()}
    told = {i: _columns(file) for i, file in files.items() if since.changed(file.path)}
    before = {i: _columns_then(since, files[i].path) for i in told}

    def counts(row: Suggestion) -> bool:
        name = row.source_column.lower()
        if row.source in told and told[row.source].get(name) != before[row.source].get(name):
            return True
        model, source = relations.get(row.model or ""), relations.get(row.source)
        if model is not None and (since.changed(model.path) or since.changed(model.yaml_path)):
            return True
        return row.source not in files and source is not None and since.changed(source.yaml_path)

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


def _columns_then(since: Since, path: str) -> dict[str, list[object]]:
    try:
        return _columns(parse_mapping(since.text(path), path)[0])
    except (ConfigError, MappingError):  # it was not there, or no mapping file
        return {}
