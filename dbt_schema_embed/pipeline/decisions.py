"""Decisions from the command line into mapping files. No artifact is read unless a model is named."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from dbt_schema_embed.errors import ConfigError, listed, printable
from dbt_schema_embed.pipeline.mappings import load_mappings, shown_path, write_all
from dbt_schema_embed.pipeline.project import near_hint
from dbt_schema_embed.records import MappingFile, Project
from dbt_schema_embed.settings import Settings


def decide_columns(
    root: Path,
    settings: Settings,
    source: str,
    columns: Sequence[str],
    status: Literal["accepted", "rejected"],
    pair: tuple[str, str] | None,
    note: str | None,
) -> tuple[str, ...]:
    """See `SchemaEmbed.decide`; ``pair`` as `model_pair` gives it."""
    from dbt_schema_embed.write.decide import Decision, decide

    path, _ = _files_of(root, settings, source)[0]
    model, model_column = pair or (None, None)
    decisions = [Decision(column, status, model, model_column, note) for column in columns]
    return write_all([decide(path, decisions, shown=shown_path(root, path))], root, path.parent)


def accept_confident(root: Path, settings: Settings, minimum: float, source: str | None) -> tuple[int, tuple[str, ...]]:
    """See `SchemaEmbed.accept_confident`."""
    from dbt_schema_embed.write.decide import confident, decide

    count, plans = 0, []
    for path, file in _files_of(root, settings, source):
        decisions = confident(file, minimum)
        count += len(decisions)
        plans.append(decide(path, decisions, shown=shown_path(root, path)))
    return count, write_all(plans, root, root / settings.mappings_dir)


def model_pair(project: Project, model: str | None, column: str | None, columns: Sequence[str]) -> tuple[str, str]:
    """A model and its column as mapping files name them.

    Raises:
        ConfigError: one of the two is missing or unknown, or more than one source column is to feed it.
    """
    from dbt_schema_embed.write.mapping import model_names

    if model is None or column is None:
        raise ConfigError("--model and --column stand together: which column of which model?")
    if len(columns) > 1:
        raise ConfigError(f"--model and --column are the answer for one column, not for {len(columns)}")
    names = model_names(project.relations)
    found = [r for r in project.relations if model.lower() in (r.id.lower(), names.get(r.id, "").lower())]
    if not found:
        raise ConfigError(f"the project has no model {printable(model)!r}", hint=near_hint(model, list(names.values())))
    target = found[0].column(column)
    if target is None:
        known = [c.name for c in found[0].columns]
        raise ConfigError(f"{names[found[0].id]} has no column {printable(column)!r}", hint=near_hint(column, known))
    return names[found[0].id], target.name


def _files_of(root: Path, settings: Settings, source: str | None) -> list[tuple[Path, MappingFile]]:
    """The mapping files of a source table called "stripe.charges" or "package.stripe.charges"; of None, all.

    Raises:
        ConfigError: there is none; the message names a near one.
        MappingError: it may be one that cannot be read.
    """
    mappings = load_mappings(root, settings)
    wanted = (source or "").lower()
    found = [
        (path, file)
        for path, file in mappings.files
        if source is None or wanted in (file.source.lower(), f"{file.package}.{file.source}".lower())
    ]
    if mappings.errors and (source is None or not found):
        raise mappings.errors[0]
    if not mappings.files:
        raise ConfigError(
            f"there are no mapping files in {shown_path(root, mappings.folder)}",
            hint="write them with: dbt-schema-embed suggest --write",
        )
    if not found:
        known = [file.source for _, file in mappings.files]
        hint = near_hint(wanted, known) or f"mapped are: {printable(listed(known))}"
        raise ConfigError(f"no mapping file is about {printable(source)!r}", hint=hint)
    return found
