"""The staging model of a source table from its accepted mapping: SQL, new or grown, and YAML where it has none."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from dbt_schema_embed.errors import ConfigError, WriteError, printable
from dbt_schema_embed.files import ABSENT, content_hash, inside, safe_name
from dbt_schema_embed.lookup import model_names, sources_called
from dbt_schema_embed.records import MappingFile, MappingRow, Project, Relation
from dbt_schema_embed.write.items import Item, Items, model_items, unfed_notes, unused_notes
from dbt_schema_embed.write.merge import merged, selected_names
from dbt_schema_embed.write.rewrite import Rewrite
from dbt_schema_embed.write.sql_names import comment_text, jinja_text, opens_jinja
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


def stage(
    project: Project,
    file: MappingFile,
    project_dir: Path,
    examples: Sequence[str] = (),
    options: StageOptions = StageOptions(),
) -> Staged:
    """The staging model for the accepted rows of one mapping file; nothing is written yet.

    ``examples`` is the raw SQL of staging models the project has; their habits are followed. The model is written where
    the manifest has it, or beside the source's YAML when it is new. One that has SQL gains what it lacks, and its lines
    stay.

    Raises:
        ConfigError: no accepted row, a source or model that is unknown, a name no model can hold, a bad expression, a
            place where no model may stand.
        WriteError: there is SQL in the model's file that columns cannot be added to, or its YAML file exists.
    """
    source = _source(project, file)
    name = options.model or _most_fed([row for row in file.columns if row.status == "accepted"], file)
    mine = [row for row in file.columns if (row.model or "").lower() == name.lower()]
    if not any(row.status == "accepted" for row in mine):
        raise ConfigError(f"no accepted row of {file.path} feeds {printable(name)}", hint="accept some first")
    model = _model(project, name)
    if opens_jinja(name):
        raise ConfigError(f"model {printable(name)!r} cannot be written: dbt would take its name for Jinja")
    place = _place(project, source, model, name)
    old = _old_file(project_dir, place)
    style = learn_style(examples)
    if options.leading_commas is not None:
        style = replace(style, leading_commas=options.leading_commas)
    staging = _Staging(project, file, source, model, style, options)
    called = model.name if model else name
    if old.before and old.before.strip():
        return Staged(called, staging.grown(old, mine), None)
    made, text = staging.new(mine)
    documented = model is not None and model.columns
    yaml = None
    if not documented:
        beside = place.with_suffix(".yml")
        yaml = _old_file(project_dir, beside)
        if yaml.before and yaml.before.strip():
            raise WriteError(f"{beside} is there already: it is left as it is", hint="document the model there by hand")
        yaml = replace(yaml, text=_yaml(called, source, made))
    return Staged(called, replace(old, text=text), yaml)


@dataclass(frozen=True, slots=True)
class _Staging:
    """What one model is made from."""

    project: Project
    file: MappingFile
    source: Relation
    model: Relation | None
    style: Style
    options: StageOptions

    def new(self, rows: Sequence[MappingRow]) -> tuple[list[Item], str]:
        """The columns and the text of a model without SQL. What SQL did that is gone is in the existing rows."""
        rows = [row for row in rows if row.status in ("accepted", "existing")]
        made = self._made(rows)
        notes = [*made.notes, *unused_notes(self.source, self.file), *unfed_notes(self.model, _fed(rows))]
        notes += [
            f"as SQL that is gone had it, which may have done more: {row.model_column}"
            for row in rows
            if row.status == "existing"
        ]
        names = map(jinja_text, (self.source.source_name, self.source.name))
        relation = f"{{{{ source({', '.join(names)}) }}}}"
        wish = self.options.materialized
        head = f"{{{{ config(materialized={jinja_text(wish)}) }}}}" if wish else ""
        items = [self._sql(item) for item in made.items]
        return made.items, staging_text(self.style, relation, items, map(comment_text, notes), head)

    def grown(self, old: Rewrite, rows: Sequence[MappingRow]) -> Rewrite:
        """A model that has SQL, with what was accepted since."""
        before = old.before or ""
        if old.path.suffix != ".sql":
            raise WriteError(f"{old.shown} is left as it is: it is no SQL", hint="add the columns by hand")
        there = selected_names(before)
        rows = [row for row in rows if row.status == "accepted" and (row.model_column or "").lower() not in there]
        if not rows:
            return old
        made = self._made(rows)
        names = rf"""['"]{re.escape(self.source.source_name)}['"]\s*,\s*['"]{re.escape(self.source.name)}['"]"""
        if not re.search(rf"source\(\s*{names}\s*\)", before, re.IGNORECASE):
            said = f"{old.shown} is left as it is: it does not read {printable(self.source.label)}"
            raise WriteError(said, hint="name another model with --model, or add the columns by hand")
        settled = [f"fed by nothing: {item.target.name}" for item in made.items]
        for row in rows:
            for name in row.source_columns:
                settled += [f"{what}: {name}" for what in ("not mapped", "undecided", "not accepted yet")]
        new = [(item.target.name, self._sql(item)) for item in made.items]
        notes = [comment_text(note) for note in made.notes]
        settled = [comment_text(comment) for comment in settled]
        return replace(
            old,
            text=merged(before, new, notes, settled, old.shown, leading=self.style.leading_commas) if new else before,
        )

    def _made(self, rows: Sequence[MappingRow]) -> Items:
        return model_items(self.source, self.model, rows, self.file, self.project.dialect)

    def _sql(self, item: Item) -> str:
        return item.sql(self.project.dialect, quote_sources=self.options.case_sensitive_cols)


def _fed(rows: Sequence[MappingRow]) -> set[str]:
    return {(row.model_column or "").lower() for row in rows}


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


def _yaml(name: str, source: Relation, items: Sequence[Item]) -> str:
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


def _old_file(project_dir: Path, place: PurePosixPath) -> Rewrite:
    """A file as it is; its ``before`` is None where there is none."""
    path = project_dir / place
    if not inside(path, project_dir):
        raise WriteError(f"{printable(place)} leads out of the project: nothing is written there")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Rewrite(path, str(place), None, "", ABSENT)
    except OSError as problem:
        raise WriteError(f"{place} cannot be read: {problem.strerror}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise WriteError(f"{place} is left as it is: it is not UTF-8", hint="add the columns by hand") from None
    return Rewrite(path, str(place), text, text, content_hash(content))
