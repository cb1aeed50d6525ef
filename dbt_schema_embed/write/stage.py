"""The staging model of a source table from its accepted mapping: SQL, new or grown, and YAML where it has none."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from dbt_schema_embed.errors import ConfigError, WriteError, listed, printable
from dbt_schema_embed.files import ABSENT, content_hash, inside, safe_name
from dbt_schema_embed.lookup import model_names, sources_called
from dbt_schema_embed.records import Column, MappingFile, MappingRow, Project, Relation
from dbt_schema_embed.write.items import Item, Items, house_types, model_items, unfed_notes, unused_notes
from dbt_schema_embed.write.merge import merged, selected, selected_names, spelled_out, starred, without_comments
from dbt_schema_embed.write.rewrite import Rewrite
from dbt_schema_embed.write.sql_names import comment_text, jinja_text, opens_jinja, type_sql
from dbt_schema_embed.write.style import Style, learn_style, staging_text
from dbt_schema_embed.write.switch import switched_on, without_query, without_switch
from dbt_schema_embed.write.yamledit import Indent, Raw, Value, block_lines, flow_text


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
    before = old.before or ""
    if model is not None and model.off:
        before = without_switch(before)
    text, made = staging.text(before, mine, old)
    yaml = None
    if model is None or not model.columns:
        yaml = None if not without_query(before) else _new_yaml(project_dir, place, _yaml(called, source, made))
    elif model.off and before == (old.before or ""):
        yaml = switched_on(model, project_dir)
    return Staged(called, replace(old, text=text), yaml)


def plan(project: Project, file: MappingFile, project_dir: Path) -> tuple[Rewrite, Rewrite]:
    """The YAML of the model that one mapping file proposes, switched off: dbt neither builds nor tests it. And its
    SQL, an empty file: dbt 1 warns of YAML that has none.

    Raises:
        ConfigError: it proposes none, or the model is there already.
        WriteError: its YAML file exists.
    """
    source = _source(project, file)
    rows = [row for row in file.columns if row.invented]
    fed = {row.model for row in file.columns if row.model and not row.invented}
    if not rows:
        known = f": its columns feed {listed(sorted(map(printable, fed)))}" if fed else ""
        raise ConfigError(
            f"there is no model to plan for {printable(file.source)}{known}", hint="plan further columns in its YAML"
        )
    name = _most_fed(rows, file)
    if _model(project, name) is not None:
        raise ConfigError(f"model {printable(name)} is there already", hint="plan further columns in its YAML")
    items = model_items(
        source, None, rows, file, project.dialect, house_types(project.relations, project.dialect)
    ).items
    place = _place(project, source, None, name)
    sql = _old_file(project_dir, place)
    if sql.before:
        raise WriteError(f"{place} is there already: it is left as it is", hint="run: dbt parse")
    return _new_yaml(project_dir, place, _yaml(name, source, items, off=True)), replace(sql, text="")


@dataclass(frozen=True, slots=True)
class _Staging:
    """What one model is made from."""

    project: Project
    file: MappingFile
    source: Relation
    model: Relation | None
    style: Style
    options: StageOptions

    def text(self, before: str, rows: Sequence[MappingRow], old: Rewrite) -> tuple[str, list[Item]]:
        """The text of the model, whose file says ``before``, and the columns that it gains.

        What SQL did that is gone is in the existing rows.
        """
        if old.path.suffix != ".sql" and before.strip():
            raise WriteError(f"{old.shown} is left as it is: it is no SQL", hint="add the columns by hand")
        stub = self._planned and starred(before)
        if not stub and not without_query(before):
            return self._grown(before, rows, old)
        rows = [row for row in rows if row.status in ("accepted", "existing")]
        made = self._made(rows)
        notes = [*made.notes, *unused_notes(self.source, self.file), *unfed_notes(self.model, _fed(rows))]
        notes += [
            f"as SQL that is gone had it, which may have done more: {row.model_column}"
            for row in rows
            if row.status == "existing"
        ]
        notes = [comment_text(note) for note in notes]
        items = [self._sql(item) for item in made.items]
        if stub:
            # Others read what * passes on: it stays beside the new columns.
            read = any(self.model is not None and self.model.id in r.parents for r in self.project.relations)
            self._check_reads(before, old)
            text = spelled_out(
                before, [*(["*"] if read else []), *items], notes, old.shown, step=self.style.indent,
                leading=self.style.leading_commas,
            )  # fmt: skip
            return text, made.items
        names = map(jinja_text, (self.source.source_name, self.source.name))
        relation = f"{{{{ source({', '.join(names)}) }}}}"
        wish = self.options.materialized
        head = f"{{{{ config(materialized={jinja_text(wish)}) }}}}" if wish else ""
        head = "\n".join(part for part in (before.strip(), head) if part)
        return staging_text(self.style, relation, items, notes, head), made.items

    @property
    def _planned(self) -> bool:
        """Whether the model is to have columns, and no SQL makes any."""
        return self.model is not None and bool(self.model.columns) and not self.model.has_sql

    def _grown(self, before: str, rows: Sequence[MappingRow], old: Rewrite) -> tuple[str, list[Item]]:
        """A model that has SQL, with what was accepted since."""
        rows = [row for row in rows if row.status == "accepted"]
        text, settled = self._brought_up(before, rows, old.shown)
        there = selected_names(before)
        rows = [row for row in rows if (row.model_column or "").lower() not in there]
        made = self._made(rows)
        if not made.items:
            return without_comments(text, settled), []
        self._check_reads(before, old)
        settled += [f"fed by nothing: {item.target.name}" for item in made.items]
        for row in rows:
            for name in row.source_columns:
                settled += [f"{what}: {name}" for what in ("not mapped", "undecided", "not accepted yet")]
        new = [(item.target.name, self._sql(item)) for item in made.items]
        notes = [comment_text(note) for note in made.notes]
        settled = [comment_text(comment) for comment in settled]
        return merged(text, new, notes, settled, old.shown, leading=self.style.leading_commas), made.items

    def _brought_up(self, text: str, rows: Sequence[MappingRow], shown: str) -> tuple[str, list[str]]:
        """``text`` with expressions that were accepted after their column was staged in place of the line that `stage`
        wrote for it then, and the comments that are settled with that.

        Raises:
            WriteError: the line is somebody's own, and says something else.
        """
        rows = [row for row in rows if row.expression]
        settled: list[str] = []
        for item in self._made(rows).items:
            row = next(r for r in rows if (r.model_column or "").lower() == item.target.name.lower())
            wanted, mine = self._sql(item), item.target.name.lower()
            there = [found for found in selected(text) if found.name == mine]
            if not there or any(_same(found.sql, wanted) for found in there):
                continue
            ours = [found for found in there if self._staged_before(found.sql, item)]
            if len(ours) != 1:
                where = f"{shown}:{there[0].line}"
                raise WriteError(
                    f"{where} is left as it is: it makes {printable(mine)} in a way of its own, and "
                    f"{self.file.path}:{row.line} has another",
                    hint=f"write there: {wanted}; or bring the expression in line with the SQL",
                )
            text = text[: ours[0].start] + wanted + text[ours[0].end :]
            settled += [f"not written: {item.target.name}", *(f"not mapped: {n}" for n in row.source_columns)]
            cast = type_sql(item.target.type or "")
            settled += [f"not cast: {name} to {cast}" for name in row.source_columns if cast]
        return text, settled

    def _staged_before(self, sql: str, item: Item) -> bool:
        """Whether ``sql`` is what `stage` writes for the target of ``item`` from one column, cast or not."""
        quoted = self.options.case_sensitive_cols
        for column in self.source.columns:
            try:
                plain = Item(column, item.target).sql(self.project.dialect, quote_sources=quoted)
                cast = Item(column, item.target, "\0").sql(self.project.dialect, quote_sources=quoted)
            except ConfigError:  # no model could select it
                continue
            head, _, tail = cast.partition("\0")
            made = sql.startswith(head) and sql.endswith(tail) and type_sql(sql[len(head) : -len(tail)]) is not None
            if _same(sql, plain) or made:
                return True
        return False

    def _check_reads(self, before: str, old: Rewrite) -> None:
        """Raises WriteError: the model does not select from the source."""
        names = rf"""['"]{re.escape(self.source.source_name)}['"]\s*,\s*['"]{re.escape(self.source.name)}['"]"""
        if not re.search(rf"source\(\s*{names}\s*\)", before, re.IGNORECASE):
            said = f"{old.shown} is left as it is: it does not read {printable(self.source.label)}"
            raise WriteError(said, hint="name another model with --model, or add the columns by hand")

    def _made(self, rows: Sequence[MappingRow]) -> Items:
        # The YAML that is written with a new model says the types: one that has YAML casts to what that says.
        new = self.model is None or not self.model.columns
        house = house_types(self.project.relations, self.project.dialect) if new else {}
        return model_items(self.source, self.model, rows, self.file, self.project.dialect, house)

    def _sql(self, item: Item) -> str:
        return item.sql(self.project.dialect, quote_sources=self.options.case_sensitive_cols)


def _same(sql: str, other: str) -> bool:
    return " ".join(sql.split()).lower() == " ".join(other.split()).lower()


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


def _new_yaml(project_dir: Path, place: PurePosixPath, text: str) -> Rewrite:
    beside = place.with_suffix(".yml")
    yaml = _old_file(project_dir, beside)
    if yaml.before and yaml.before.strip():
        raise WriteError(f"{beside} is there already: it is left as it is", hint="document the model there by hand")
    return replace(yaml, text=text)


def _yaml(name: str, source: Relation, items: Sequence[Item], *, off: bool = False) -> str:
    """A properties file: descriptions and types of the model, or else of the source; tests of keys. ``off``: the model
    is switched off."""
    columns: list[Value] = []
    for item in items:
        column: dict[str, Value] = {"name": item.target.name}
        type_ = item.target.type or item.source.type
        for key, value in (("description", item.target.description or item.source.description), ("data_type", type_)):
            if value and not opens_jinja(value):
                column[key] = value
        if not item.expression and (tests := _tests(item.source)):
            column["data_tests"] = Raw(flow_text(tests))
        columns.append(column)
    model: dict[str, Value] = {"name": name}
    if source.description and not opens_jinja(source.description):
        model["description"] = source.description
    if off:
        model["config"] = {"enabled": Raw("false")}
    pairs: dict[str, Value] = {"version": Raw("2"), "models": [{**model, "columns": columns}]}
    return "".join(f"{line}\n" for line in block_lines(pairs, Indent()))


def _tests(source: Column) -> list[str]:
    """What holds of a source column holds of its copy."""
    return [test for test, holds in (("unique", source.unique), ("not_null", source.not_null)) if holds]


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
