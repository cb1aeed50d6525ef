"""What `check` looks for. One function a rule; `RULES` is the list people see and the order they are run in.

A rule says what it finds; about rows that nobody has accepted it only ever warns.
"""

import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from dbt_schema_embed.check.facts import Case, Facts, Found, quoted
from dbt_schema_embed.check.plan_rules import not_in_sql, undecided_columns, unfed_column
from dbt_schema_embed.check.type_rules import (
    bad_expression,
    copied_whole,
    doubtful_types,
    incompatible_types,
    lossy_cast,
)
from dbt_schema_embed.errors import listed, printable
from dbt_schema_embed.records import Lineage, MappingFile, Relation, Severity

_LISTS = ("undecided", "unmapped")
_SAME_VALUE = ("identical", "renamed", "cast")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of `check`."""

    code: str  # kebab-case, as in settings
    severity: Severity | Literal["off"]  # unless settings say otherwise
    find: Callable[[Facts], Iterable[Found]]

    @property
    def summary(self) -> str:
        """What it looks for, one sentence."""
        return (self.find.__doc__ or "").splitlines()[0]


def unreadable_mapping(facts: Facts) -> Iterator[Found]:
    """A mapping file that cannot be read: not YAML, or not what a mapping file may hold."""
    for error in facts.errors:
        yield Found(error.problem, error.path, error.line, error.hint)


def unknown_source(facts: Facts) -> Iterator[Found]:
    """The source table of a mapping file is not in the project."""
    for file in facts.files if facts.project.whole else ():
        if not facts.sources_of(file):
            where = f" in package {quoted(file.package)}" if file.package else ""
            hint = facts.near(file.source, facts.labels) or "remove the file if the source is gone for good"
            yield Found(f"the project has no source {quoted(file.source)}{where}", file.path, 0, hint)


def ambiguous_source(facts: Facts) -> Iterator[Found]:
    """Several packages declare the source table of a mapping file."""
    for file in facts.files:
        packages = [source.package for source in facts.sources_of(file)]
        if len(packages) > 1:
            yield Found(
                f"source {quoted(file.source)} is declared by {len(packages)} packages: {listed(packages)}",
                file.path,
                hint="add a line such as package: " + min(packages),
            )


def duplicate_mapping(facts: Facts) -> Iterator[Found]:
    """Two mapping files are about one source table."""
    first: dict[str, str] = {}
    for file in facts.files:
        key = "|".join(sorted(r.id for r in facts.sources_of(file))) or f"{file.package}.{file.source}".lower()
        if key in first:
            yield Found(f"{first[key]} maps {quoted(file.source)} too", file.path, 0, "keep one of the two files")
        first.setdefault(key, file.path)


def unknown_model(facts: Facts) -> Iterator[Found]:
    """A row names a model that is not in the project."""
    for case in facts.cases:
        if case.source is None and not facts.project.whole:  # a package's, which is not installed
            continue
        if case.row.model is None or case.row.invented or case.row.status == "rejected":
            continue
        if not facts.models_called(case.row.model):
            hint = facts.near(case.row.model, facts.model_names)
            if not hint and case.row.status == "accepted":
                hint = f"dbt-schema-embed stage {printable(case.file.source)}, if it is to be made; else remove the row"
            hint = hint or "remove the row, if the model is gone for good"
            yield case.found(f"the project has no model {quoted(case.row.model)}", hint)


def ambiguous_model(facts: Facts) -> Iterator[Found]:
    """A row names a model that several packages have."""
    for case in facts.cases:
        models = facts.models_called(case.row.model or "")
        if len(models) > 1:
            full = listed([model.id.partition(".")[2] for model in models])
            yield case.found(f"{quoted(case.row.model)} is the name of {len(models)} models", f"write one of: {full}")


def unknown_source_column(facts: Facts) -> Iterator[Found]:
    """A row, or an entry of unmapped or undecided, names a column its source table does not have."""
    for case in facts.cases:
        source = case.source
        if source is None or not source.complete:  # the YAML may list the tested columns only
            continue
        for name in case.row.source_columns:
            column = facts.column(source, name)
            if column is None:
                yield case.found(*_no_column(facts, source, name))
            # Of a suggestion it is no news: packages list columns that not every warehouse has.
            elif column.absent and case.row.status == "accepted":
                said = f"the catalog has no column {quoted(name)} of {quoted(source.label)}, only its YAML has"
                yield case.found(said, "remove the row, if the column is gone for good; else run: dbt docs generate")
    for file, source in _known_sources(facts):
        for key in _LISTS:
            for name in getattr(file, key):
                if source.complete and facts.column(source, name) is None:
                    yield Found(*_at(file, key, *_no_column(facts, source, name)), binding=False)


def unknown_model_column(facts: Facts) -> Iterator[Found]:
    """A row names a column its model does not have. Models whose columns are known in part only are passed over."""
    for case in facts.cases:
        if (
            case.model is not None
            and case.row.status != "rejected"
            and not case.row.invented
            and case.model.columns
            and case.model.complete
            and case.row.model_column
            and case.model_column is None
        ):
            yield case.found(*_no_column(facts, case.model, case.row.model_column))


def duplicate_row(facts: Facts) -> Iterator[Found]:
    """A file says the same twice, or says of one column that it feeds something and that it feeds nothing."""
    for file in facts.files:
        yield from _duplicates(file)


def fed_twice(facts: Facts) -> Iterator[Found]:
    """Two columns of one source table feed the same model column."""
    first: dict[tuple[str, str, str], Case] = {}
    for case in facts.cases:
        row = case.row
        # What SQL does already it may do from two columns, with coalesce or concat.
        if row.status in ("rejected", "existing") or row.model is None or row.model_column is None:
            continue
        model = case.model.id if case.model else row.model.lower()
        other = first.setdefault((case.file.path, model, row.model_column.lower()), case).row
        if other.source_column.lower() != row.source_column.lower():
            said = f"{quoted(f'{row.model}.{row.model_column}')} is fed by {quoted(other.source_column)} already"
            binding = row.status == other.status == "accepted"
            names = ", ".join(map(printable, (*other.source_columns, *row.source_columns)))
            hint = f"reject one of the two, or join them in one row: source_columns: [{names}] and an expression"
            yield Found(said, case.file.path, row.line, hint, binding)


def unmapped_column(facts: Facts) -> Iterator[Found]:
    """The source table has a column that its mapping file does not mention."""
    for file, source in _known_sources(facts):
        mentioned = {*file.undecided, *file.unmapped, *(n for row in file.columns for n in row.source_columns)}
        known = {column.name for name in mentioned if (column := facts.column(source, name))}
        for column in source.columns:
            if column.name not in known:
                yield Found(
                    f"column {quoted(column.name)} of {quoted(source.label)} is not mapped",
                    file.path,
                    file.unmapped_line,
                    _suggest(source.label),
                )


def contradicts_sql(facts: Facts) -> Iterator[Found]:
    """The model's SQL does something else than an accepted row says."""
    for case in facts.cases:
        if case.row.status == "accepted" and (said := _sql_says_else(facts, case)):
            yield case.found(said, "change the row, or the SQL")


def stale_row(facts: Facts) -> Iterator[Found]:
    """A row is existing, or a column unmapped, and the SQL no longer says so."""
    for case in facts.cases:
        if case.row.status == "existing" and (said := _sql_says_else(facts, case)):
            yield case.found(said, _suggest(case.file.source))
    models = facts.models_of_files
    for file, source in _known_sources(facts):
        for name in file.unmapped:
            # Only models the file speaks of: a base model that passes every column through maps nothing.
            fed = [
                line
                for line in facts.fed_by_source_column.get((source.id, name.lower()), [])
                if line.kind in _SAME_VALUE and line.model in models[file.path]
            ]
            if fed:
                said = f"unmapped column {quoted(name)} feeds {_targets(facts, fed)} now"
                yield Found(*_at(file, "unmapped", said, _suggest(source.label)), binding=False)


def stale_manifest(facts: Facts) -> Iterator[Found]:
    """The manifest is older than files that only dbt can read, so this check may be about what no longer is."""
    if facts.manifest and facts.project.unread:
        said = printable(listed(list(facts.project.unread)), 400)
        yield Found(f"it is older than {said}, which only dbt can read", facts.manifest, 0, "run: dbt parse")


RULES: tuple[Rule, ...] = (
    Rule("unreadable-mapping", "error", unreadable_mapping),
    Rule("stale-manifest", "warning", stale_manifest),
    Rule("unknown-source", "error", unknown_source),
    Rule("ambiguous-source", "error", ambiguous_source),
    Rule("duplicate-mapping", "error", duplicate_mapping),
    Rule("unknown-source-column", "error", unknown_source_column),
    Rule("unknown-model", "error", unknown_model),
    Rule("ambiguous-model", "error", ambiguous_model),
    Rule("unknown-model-column", "error", unknown_model_column),
    Rule("duplicate-row", "error", duplicate_row),
    Rule("fed-twice", "error", fed_twice),
    Rule("incompatible-types", "error", incompatible_types),
    Rule("doubtful-types", "warning", doubtful_types),
    Rule("lossy-cast", "warning", lossy_cast),
    Rule("bad-expression", "error", bad_expression),
    Rule("copied-whole", "warning", copied_whole),
    Rule("unfed-column", "error", unfed_column),
    Rule("not-in-sql", "warning", not_in_sql),
    Rule("undecided-columns", "off", undecided_columns),
    Rule("contradicts-sql", "error", contradicts_sql),
    Rule("stale-row", "warning", stale_row),
    Rule("unmapped-column", "warning", unmapped_column),
)


def _at(file: MappingFile, key: str, message: str, hint: str) -> tuple[str, str, int, str]:
    """Message, path, line and hint of a finding about one of the file's lists."""
    return message, file.path, file.undecided_line if key == "undecided" else file.unmapped_line, hint


def _known_sources(facts: Facts) -> Iterator[tuple[MappingFile, Relation]]:
    for file in facts.files:
        sources = facts.sources_of(file)
        if len(sources) == 1:
            yield file, sources[0]


def _no_column(facts: Facts, relation: Relation, name: str) -> tuple[str, str]:
    """Message and hint about a column a relation lacks."""
    hint = facts.near(name, (c.name for c in relation.columns))
    return f"{quoted(relation.label)} has no column {quoted(name)}", hint or "remove it, if the column is gone for good"


def _duplicates(file: MappingFile) -> Iterator[Found]:
    seen: set[tuple[str, str | None, str | None]] = set()
    feeds: set[str] = set()
    for row in file.columns:
        pair = (row.source_column, row.model, row.model_column)
        if pair in seen:
            yield Found(f"{quoted(row.source_column)} has this row twice", file.path, row.line, "remove one of them")
        seen.add(pair)
        if row.status != "rejected" and row.model is not None:
            feeds.update(row.source_columns)
    listed_names: set[str] = set()
    for key in _LISTS:
        for name in getattr(file, key):
            if name in listed_names:
                yield Found(*_at(file, key, f"{quoted(name)} stands in {key} twice", "remove one of them"))
            elif name in feeds:
                yield Found(*_at(file, key, f"{quoted(name)} stands in columns and in {key}", "remove one of them"))
            listed_names.add(name)


def _sql_says_else(facts: Facts, case: Case) -> str:
    """What the model's SQL does with either column of a row instead; empty when it agrees or says nothing."""
    if case.source is None or case.model is None or case.row.model_column is None:
        return ""
    lineage = facts.lineage.get((case.source.id, case.model.id), [])
    column, target = case.row.source_column.lower(), case.row.model_column.lower()
    into = [x for x in lineage if x.model_column.lower() == target]
    out = [x for x in lineage if x.source_column.lower() == column]
    if any(x.source_column.lower() == column for x in into):
        return ""
    mine = f"{case.row.model}.{case.row.model_column}"
    if into:
        others = listed([*{quoted(x.source_column) for x in into}])
        return f"the SQL feeds {quoted(mine)} from {others}, not from {quoted(case.row.source_column)}"
    if any(x.kind in _SAME_VALUE for x in out):
        return f"the SQL feeds {quoted(case.row.source_column)} into {_targets(facts, out)}, not into {quoted(mine)}"
    return ""


def _targets(facts: Facts, lineage: list[Lineage]) -> str:
    """Where lineage leads: "'stg_charges.charge_id'"."""
    return listed([*{quoted(f"{facts.name_of.get(x.model, x.model)}.{x.model_column}") for x in lineage}])


def _suggest(label: str) -> str:
    """The command for a source table, ready to paste."""
    return f"dbt-schema-embed suggest --write --select {shlex.quote(f'source:{printable(label)}')}"
