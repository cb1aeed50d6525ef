"""The staging model of a source table from its accepted mapping: SQL, and YAML where the model has none."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from dbt_schema_embed.errors import ConfigError, WriteError, printable
from dbt_schema_embed.files import ABSENT, content_hash, inside, safe_name
from dbt_schema_embed.records import Column, MappingFile, MappingRow, Project, Relation, sources_called
from dbt_schema_embed.write.apply import cast_type
from dbt_schema_embed.write.mapping import model_names
from dbt_schema_embed.write.rewrite import Rewrite
from dbt_schema_embed.write.sql_names import column_sql, comment_text, jinja_text, opens_jinja, type_sql
from dbt_schema_embed.write.style import Style, learn_style, staging_text
from dbt_schema_embed.write.yamledit import Indent, Raw, Value, block_lines


@dataclass(frozen=True, slots=True)
class StageOptions:
    """What people may want otherwise; the names are dbt-codegen's."""

    model: str | None = None  # the model to write; None: the one that most accepted rows feed
    leading_commas: bool | None = None  # None: as in the project
    case_sensitive_cols: bool = False  # quote every source column
    materialized: str | None = None  # adds a config block


@dataclass(frozen=True, slots=True)
class Staged:
    """A staging model to write. ``yaml`` is None where the model is documented already."""

    model: str
    sql: Rewrite
    yaml: Rewrite | None


@dataclass(frozen=True, slots=True)
class _Item:
    """One column of the model, and what it is made from."""

    source: Column
    target: Column
    cast: str | None


def stage(
    project: Project,
    file: MappingFile,
    project_dir: Path,
    examples: Sequence[str] = (),
    options: StageOptions = StageOptions(),
) -> Staged:
    """The staging model for the accepted rows of one mapping file; nothing is written yet, and nothing overwritten.

    ``examples`` is the raw SQL of staging models the project has; their habits are followed. The model is written where
    the manifest has it, or beside the source's YAML when it is new.

    Raises:
        ConfigError: no accepted row, a source or model that is unknown, a name no model can hold, a place where no
            model may stand.
        WriteError: there is SQL in the model's file already, or its YAML file exists.
    """
    source = _source(project, file)
    rows = [row for row in file.columns if row.status == "accepted" and row.model is not None]
    name = options.model or _most_fed(rows, file)
    rows = [row for row in rows if (row.model or "").lower() == name.lower()]
    if not rows:
        raise ConfigError(f"no accepted row of {file.path} feeds {printable(name)}", hint="accept some first")
    model = _model(project, name)
    if opens_jinja(name):
        raise ConfigError(f"model {printable(name)!r} cannot be written: dbt would take its name for Jinja")
    items, lost = _items(source, model, rows)
    style = learn_style(examples)
    if options.leading_commas is not None:
        style = replace(style, leading_commas=options.leading_commas)
    notes = [*lost, *_unused(source, file), *_unfed(model, rows)]
    text = _sql(project, source, items, notes, style, options)
    place = _place(project, source, model, name)
    called = model.name if model else name
    documented = model is not None and model.columns
    yaml = None if documented else _new_file(project_dir, place.with_suffix(".yml"), _yaml(called, source, items))
    return Staged(called, _new_file(project_dir, place, text), yaml)


def _source(project: Project, file: MappingFile) -> Relation:
    found = sources_called(project.relations, file.source, file.package)
    if len(found) != 1:
        problem = "is declared by several packages" if found else "is not in the project"
        raise ConfigError(
            f"source {printable(file.source)} of {file.path} {problem}", hint="run: dbt-schema-embed check"
        )
    return found[0]


def _most_fed(rows: Sequence[MappingRow], file: MappingFile) -> str:
    counts = Counter(row.model for row in rows if row.model)
    if not counts:
        raise ConfigError(
            f"no row of {file.path} is accepted", hint="set status: accepted, or use dbt-schema-embed accept"
        )
    return counts.most_common(1)[0][0]


def _model(project: Project, name: str) -> Relation | None:
    names = model_names(project.relations)
    return next((r for r in project.relations if names.get(r.id, "").lower() == name.lower()), None)


def _items(source: Relation, model: Relation | None, rows: Sequence[MappingRow]) -> tuple[list[_Item], list[str]]:
    """The model's columns in the model's order, new ones behind, and notes about columns that are gone."""
    items: dict[str, _Item] = {}
    lost: list[str] = []
    for row in rows:
        column = source.column(row.source_column)
        if column.absent if column else source.in_catalog:
            lost.append(f"not in the table: {row.source_column}, mapped to {row.model_column}")
            continue
        column = column or Column(row.source_column)
        target = (model.column(row.model_column or "") if model else None) or Column(row.model_column or "")
        cast = cast_type(column, target, exact=model.contract if model else False)
        items.setdefault(target.key, _Item(column, target, type_sql(cast) if cast else None))
    order = {column.key: i for i, column in enumerate(model.columns)} if model else {}
    return sorted(items.values(), key=lambda item: order.get(item.target.key, len(order))), lost


def _unused(source: Relation, file: MappingFile) -> list[str]:
    """Columns of the source that no accepted row uses."""
    used = {row.source_column.lower() for row in file.columns if row.status == "accepted" and row.model is not None}
    unused = [c for c in source.columns if c.name.lower() not in used and not c.absent]
    return [f"not mapped: {column.name}" for column in unused]


def _unfed(model: Relation | None, rows: Sequence[MappingRow]) -> list[str]:
    """Columns the model is to have that nothing feeds."""
    fed = {(row.model_column or "").lower() for row in rows}
    return [f"fed by nothing: {c.name}" for c in model.columns if c.name.lower() not in fed] if model else []


def _sql(
    project: Project,
    source: Relation,
    items: Sequence[_Item],
    notes: Sequence[str],
    style: Style,
    options: StageOptions,
) -> str:
    def selected(item: _Item) -> str:
        quoted = item.source.quoted or options.case_sensitive_cols
        name = column_sql(item.source.name, project.dialect, quoted=quoted)
        alias = column_sql(item.target.name, project.dialect, quoted=item.target.quoted)
        if item.cast:
            return f"cast({name} as {item.cast}) as {alias}"
        return alias if name == alias else f"{name} as {alias}"

    relation = f"{{{{ source({jinja_text(source.source_name)}, {jinja_text(source.name)}) }}}}"
    head = f"{{{{ config(materialized={jinja_text(options.materialized)}) }}}}" if options.materialized else ""
    return staging_text(style, relation, map(selected, items), map(comment_text, notes), head)


def _yaml(name: str, source: Relation, items: Sequence[_Item]) -> str:
    """A properties file: descriptions and types of the model, or else of the source."""
    columns: list[Value] = []
    for item in items:
        column = {"name": item.target.name}
        type_ = item.target.type or item.source.type
        for key, value in (("description", item.target.description or item.source.description), ("data_type", type_)):
            if value and not opens_jinja(value):
                column[key] = value
        columns.append(column)
    model: dict[str, Value] = {"name": name}
    if source.description and not opens_jinja(source.description):
        model["description"] = source.description
    pairs: dict[str, Value] = {"version": Raw("2"), "models": [{**model, "columns": columns}]}
    return "".join(f"{line}\n" for line in block_lines(pairs, Indent()))


def _place(project: Project, source: Relation, model: Relation | None, name: str) -> PurePosixPath:
    """The model's path below the project."""
    if model is not None and model.package not in ("", project.name):
        raise ConfigError(f"model {printable(name)} belongs to the package {printable(model.package)}")
    if model is not None and model.path:
        place = PurePosixPath(model.path)
    else:
        folder = PurePosixPath(source.yaml_path or source.path or "models/_.yml").parent
        place = folder / f"{safe_name(name)}.sql"
    # A manifest says what it likes: no hook of git, and nothing that another program would run or read as its own.
    if place.suffix != ".sql" or any(part.startswith(".") for part in place.parts):
        raise ConfigError(
            f"model {printable(name)} would be written to {printable(place)}, which is no place of a model",
            hint="run dbt parse, so that the manifest says where it is",
        )
    return place


def _new_file(project_dir: Path, place: PurePosixPath, text: str) -> Rewrite:
    """A file that is not there yet, or is there and says nothing."""
    path = project_dir / place
    if not inside(path, project_dir):
        raise WriteError(f"{printable(place)} leads out of the project: nothing is written there")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Rewrite(path, str(place), None, text, ABSENT)
    except OSError as problem:
        raise WriteError(f"{place} cannot be read: {problem.strerror}") from None
    if content.strip(b" \t\r\n\xef\xbb\xbf"):
        raise WriteError(f"{place} is there already: it is left as it is", hint="move it away to have it written anew")
    return Rewrite(path, str(place), content.decode("utf-8-sig"), text, content_hash(content))
