"""Mapping files out into a sheet for people without git, and their changes in again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.decide.mappings import Mappings, owners
from dbt_schema_embed.decide.sheet import by_source, cell_text, label, sheet_decisions, sheet_rows
from dbt_schema_embed.decide.sheet_files import read_sheet, sheet_bytes
from dbt_schema_embed.errors import ConfigError, near_hint, printable
from dbt_schema_embed.expressions import expression_problem
from dbt_schema_embed.files import save_bytes, shown_path
from dbt_schema_embed.lookup import model_column, model_names
from dbt_schema_embed.records import MappingFile, Opened, Relation

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_schema_embed.write.rewrite import Rewrite

SUFFIXES = (".csv", ".xlsx")


@dataclass(frozen=True, slots=True)
class Plans:
    """What a sheet changes: a plan for each mapping file, and how many decisions that are. Or what is wrong with it."""

    plans: "tuple[Callable[[], Rewrite], ...]" = ()
    decisions: int = 0
    problems: tuple[str, ...] = ()


def checked_suffix(path: Path) -> str:
    """The kind of sheet that a file's name says.

    Raises:
        ConfigError: none that we know.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(f"{printable(path)} is neither .csv nor .xlsx", hint="end its name in one of the two")
    return suffix


def export_sheet(path: Path, opened: Opened, files: Sequence[tuple[Path, MappingFile]]) -> int:
    """Write the rows of ``files`` into the sheet at ``path``; how many.

    Raises:
        ConfigError: neither CSV nor XLSX.
        MissingExtraError: openpyxl is not installed.
        WriteError: the sheet cannot be written.
    """
    suffix = checked_suffix(path)
    homes = _homes(opened, files)
    rows = [row for place, file in files for row in sheet_rows(file, homes.get(place))]
    named = {row.model for row in rows}
    names = model_names(opened.project.relations)
    targets = [
        (names[r.id], column.name, column.type or "", column.description)
        for r in opened.project.relations
        if names.get(r.id) in named
        for column in r.columns
    ]
    save_bytes(path, sheet_bytes(rows, [("model", "model_column", "type", "description"), *targets], suffix))
    return len(rows)


def import_sheet(
    path: Path, opened: Opened, files: Sequence[tuple[Path, MappingFile]], signed: tuple[str, str]
) -> Plans:
    """What the sheet at ``path`` changes in ``files``; nothing is written here.

    Raises:
        ConfigError: it cannot be read, or is no such sheet.
        MissingExtraError: openpyxl is not installed.
    """
    from dbt_schema_embed.decide.rows import decide

    checked_suffix(path)
    wanted = by_source(read_sheet(path))
    labels = Counter(cell_text(label(file)) for _, file in files)
    by_label = {name: (place, file) for place, file in files if labels[name := cell_text(label(file))] == 1}
    names = model_names(opened.project.relations)

    def resolve(model: str, column: str) -> tuple[str, str]:
        found, name = model_column(opened.project, model, column)
        return names[found.id], name

    plans, problems, count = [], [], 0
    for source, rows in wanted.items():
        if source not in by_label:
            count = labels[source]
            hint = "decide by hand" if count else near_hint(source, by_label) or "its rows are those of a mapping file"
            few = f"{count} mapping files are" if count else "no mapping file is"
            problems.append(f"row {rows[0][0]}: {few} about {printable(source)!r}: {hint}")
            continue
        place, file = by_label[source]
        read = sheet_decisions(file, rows, resolve, signed)
        problems += read.problems
        count += len(read.decisions)
        for decision in read.decisions:
            columns = (decision.source_column, *decision.others)
            if decision.expression and (
                why := expression_problem(decision.expression, columns, opened.project.dialect)
            ):
                problems.append(f"{printable(source)}.{printable(columns[0])}: the expression {why}")
        if read.decisions and not problems:
            plans.append(partial(decide, place, read.decisions, shown=shown_path(opened.root, place)))
    for plan in plans if not problems else ():
        try:
            plan()
        except ConfigError as problem:
            problems.append(f"{problem.message}: {problem.hint}" if problem.hint else problem.message)
    return Plans((), 0, tuple(problems)) if problems else Plans(tuple(plans), count)


def _homes(opened: Opened, files: Sequence[tuple[Path, MappingFile]]) -> dict[Path, Relation]:
    """The source table of each mapping file whose source is in the project."""
    relations = {r.id: r for r in opened.project.relations}
    known = owners(opened, Mappings(opened.root, tuple(files)))
    return {place: relations[unique_id] for unique_id, (place, _) in known.items()}
