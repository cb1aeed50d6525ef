"""Accepted mappings into the YAML that declares the source, where macros can read them.

The contract with the dbt macros. Under the column of the source table stands

    - name: id
      config:
        meta:
          schema_embed:
            model: stg_stripe__charges   # as in the mapping file: the name, or <package>.<name> where two share it
            column: charge_id
            type: integer                # only where the source column must be cast: the model column's type
            not_cast: values look like 9/9/9     # in its place, where values do not survive the cast: why
            expression: first || ' ' || last     # only where the mapping has one; then neither of the two above
            part_of: first               # only where the expression that takes this column stands under another one
            note: ask Ana                # only where the mapping has one
            added: true                  # only where the YAML did not list the column before

and a list of such where the column feeds several model columns. Always under the column: in dbt 2 a column without
meta inherits its table's. Columns the YAML does not list yet are added at the end of ``columns``, with ``quote: true``
where the name compares with case. `apply_mappings` brings a table's YAML to exactly its accepted rows, so an entry goes
when its row is rejected later; with ``revert`` all entries go. A column that was added goes with its entry, unless
people have written something about it since.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dbt_schema_embed.casts import cast_problem, cast_type
from dbt_schema_embed.errors import WriteError, printable
from dbt_schema_embed.expressions import expression_problem
from dbt_schema_embed.files import content_hash, inside
from dbt_schema_embed.lookup import model_names, sources_called
from dbt_schema_embed.records import Column, MappingFile, Project, Relation
from dbt_schema_embed.write.rewrite import Rewrite
from dbt_schema_embed.write.sources_yaml import Entry, TableMeta, with_meta
from dbt_schema_embed.write.sql_names import opens_jinja, type_sql
from dbt_schema_embed.write.yamltree import YamlTextError, decoded, read_content


@dataclass(frozen=True, slots=True)
class Applied:
    """Files to write, and what could not be applied, one sentence each."""

    rewrites: tuple[Rewrite, ...]
    warnings: tuple[str, ...] = ()


def apply_mappings(
    project: Project, mappings: Iterable[MappingFile], project_dir: Path, *, revert: bool = False
) -> Applied:
    """The source YAML files of ``mappings`` with their accepted rows; nothing is written yet.

    Sources of installed packages, sources the project does not have and YAML outside ``project_dir`` are passed over
    with a warning.

    Raises:
        WriteError: a YAML file that cannot be read, or cannot be changed without touching more than our entries.
    """
    warnings: list[str] = []
    tables: dict[str, list[TableMeta]] = {}
    seen: dict[str, str] = {}
    targets = _targets(project)
    for file in mappings:
        source = _source_of(file, project, project_dir, warnings)
        if source is not None and source.id in seen:
            warnings.append(f"{file.path}: {seen[source.id]} maps the same source: not applied")
        elif source is not None:
            seen[source.id] = file.path
            wanted = {} if revert else _entries(file, source, targets, project.dialect, warnings)
            cased = frozenset(column.name for column in source.columns if column.quoted)
            table = TableMeta(source.source_name, source.name, wanted, cased)
            tables.setdefault(source.yaml_path or source.path, []).append(table)
    rewrites = [_rewrite(project_dir / path, path, metas) for path, metas in sorted(tables.items())]
    return Applied(tuple(rewrite for rewrite in rewrites if rewrite.changed), tuple(warnings))


def _targets(project: Project) -> Mapping[str, Relation]:
    """Every relation a row can name, by the name a mapping file gives it."""
    names = model_names(project.relations)
    return {names[relation.id]: relation for relation in project.relations if relation.id in names}


def _source_of(file: MappingFile, project: Project, project_dir: Path, warnings: list[str]) -> Relation | None:
    """The source table a mapping file is about, if its YAML is ours to change."""
    sources = sources_called(project.relations, file.source, file.package)
    shown = f"{file.path}: source {printable(file.source)}"
    if len(sources) != 1:
        warnings.append(f"{shown} {'is declared twice' if sources else 'is not in the project'}: not applied")
        return None
    source = sources[0]
    path = source.yaml_path or source.path
    if source.package not in ("", project.name):
        warnings.append(f"{shown} is declared by the package {printable(source.package)}: not applied")
    elif not path or not inside(project_dir / path, project_dir):
        warnings.append(f"{shown} is declared outside the project: not applied")
    else:
        return source
    return None


def _entries(
    file: MappingFile, source: Relation, targets: Mapping[str, Relation], dialect: str | None, warnings: list[str]
) -> dict[str, list[Entry]]:
    """What stands under each column: source column -> its entries, in the file's order."""
    entries: dict[str, list[Entry]] = {}
    for row in file.columns:
        if row.status != "accepted" or row.model is None or row.model_column is None:
            continue
        if any(map(opens_jinja, (row.source_column, row.model, row.model_column))):
            name = printable(row.source_column)
            warnings.append(f"{file.path}:{row.line}: {name} not applied: dbt would take the name for Jinja")
            continue
        entry = {"model": row.model, "column": row.model_column}
        column = source.column(row.source_column)
        if row.others and not row.expression:
            warnings.append(
                f"{file.path}:{row.line}: several columns feed {row.model_column}: not applied without an expression"
            )
            continue
        if row.expression:
            if problem := expression_problem(row.expression, row.source_columns, dialect):
                warnings.append(f"{file.path}:{row.line}: the expression {problem}: not applied")
                continue
            more = {"expression": row.expression}
        else:
            more = _cast(column, targets.get(row.model), row.model_column)
        if row.note and not opens_jinja(row.note):
            more["note"] = printable(row.note, 500)
        entries.setdefault(column.name if column else row.source_column, []).append(entry | more)
        for name in row.others:
            other = source.column(name)
            entries.setdefault(other.name if other else name, []).append(entry | {"part_of": row.source_column})
    return entries


def _cast(column: Column | None, model: Relation | None, name: str) -> dict[str, str]:
    """What an entry says of the cast: the type, or why it is not made; nothing where none is needed."""
    target = model.column(name) if model else None
    if column is None or target is None or model is None:
        return {}
    cast = cast_type(column.type, target.type, exact=model.contract)
    if cast is None or (type_ := type_sql(cast)) is None:
        return {}
    problem = cast_problem(column.type, target.type, column.shapes)
    return {"not_cast": problem} if problem else {"type": type_}


def _rewrite(path: Path, shown: str, tables: Sequence[TableMeta]) -> Rewrite:
    try:
        content = read_content(path)
        text = decoded(content)
        return Rewrite(path, shown, text, with_meta(text, tables), content_hash(content))
    except OSError as problem:
        hint = "run dbt parse, so that the manifest says where it is"
        raise WriteError(f"{shown} cannot be read: {problem.strerror}", hint=hint) from None
    except YamlTextError as problem:
        where = f"{shown}:{problem.line}" if problem.line else shown
        hint = problem.hint or "write the entries of this file by hand"
        raise WriteError(f"{where} cannot be changed: {problem.problem}", hint=hint) from None
