"""What `check` looks for in the way from a value to a column: types, casts, expressions."""

from collections.abc import Iterator

from dbt_schema_embed.casts import Fit, cast_problem, fit
from dbt_schema_embed.check.facts import Case, Facts, Found, quoted
from dbt_schema_embed.errors import printable
from dbt_schema_embed.expressions import expression_problem
from dbt_schema_embed.records import MappingRow
from dbt_schema_embed.types import type_family


def incompatible_types(facts: Facts) -> Iterator[Found]:
    """No cast leads from the source column's type to the model column's."""
    for case in facts.cases:
        if case.row.expression:
            continue
        if case.row.status in ("accepted", "suggested") and "derived" not in _sql_kinds(facts, case):
            yield from _type_findings(case, "impossible", "no cast leads there", "choose another column")


def doubtful_types(facts: Facts) -> Iterator[Found]:
    """An accepted row wants a cast that fails for some values or loses a part, and no SQL makes it yet."""
    for case in facts.cases:
        if case.row.status != "accepted" or case.row.expression or _lost(case):
            continue
        if not {"cast", "derived"} & _sql_kinds(facts, case):
            said = "a cast fails for some values or loses a part"
            yield from _type_findings(case, "doubtful", said, "make the cast in the model's SQL: then it is yours")


def lossy_cast(facts: Facts) -> Iterator[Found]:
    """An accepted row wants a cast that values of the column do not survive, whoever makes it."""
    for case in facts.cases:
        if case.row.status != "accepted" or case.row.expression or "derived" in _sql_kinds(facts, case):
            continue
        why = _lost(case)
        if why and not why.startswith("no cast"):  # that is incompatible-types
            target = case.model_column.type if case.model_column else None
            said = f"{quoted(case.row.source_column)} cannot be cast to {printable(target, 60)}: {printable(why)}"
            yield case.found(said, "give the row an expression that reads its values")


def bad_expression(facts: Facts) -> Iterator[Found]:
    """An expression is no SQL over the columns of its row, or several columns have none."""
    for case in facts.cases:
        row = case.row
        if row.expression and (
            problem := expression_problem(row.expression, row.source_columns, facts.project.dialect)
        ):
            yield case.found(f"the expression for {quoted(row.model_column)} {problem}", "mend it")
        elif row.others and not row.expression and row.status == "accepted":
            names = ", ".join(map(printable, row.source_columns))
            yield case.found(
                f"{names} feed {quoted(row.model_column)} together", "say with an expression how they are joined"
            )


def copied_whole(facts: Facts) -> Iterator[Found]:
    """One column feeds two columns of a model unchanged, where one of them may want a part of it."""
    first: dict[tuple[str, str, str], MappingRow] = {}
    for case in facts.cases:
        row = case.row
        if row.status != "accepted" or row.model is None or row.expression or row.others:
            continue
        other = first.setdefault((case.file.path, row.source_column.lower(), row.model.lower()), row)
        if (other.model_column or "").lower() != (row.model_column or "").lower():
            both = f"{quoted(other.model_column)} and {quoted(row.model_column)}"
            said = f"{quoted(row.source_column)} is copied whole into {both}"
            yield case.found(said, "give the rows expressions, if each takes a part; else turn this rule off")


def _lost(case: Case) -> str:
    """Why values of the row's column do not survive the cast to the model column's type."""
    source, target = case.source_column, case.model_column
    return cast_problem(source.type, target.type, source.shapes) if source and target else ""


def _type_findings(case: Case, bad: Fit, said: str, hint: str) -> Iterator[Found]:
    if case.source_column is None or case.model_column is None:
        return
    source, target = type_family(case.source_column.type), type_family(case.model_column.type)
    if source and target and fit(source, target) == bad:
        left, right = printable(case.source_column.type, 60), printable(case.model_column.type, 60)
        name = f"{case.row.model}.{case.row.model_column}"
        yield case.found(f"{quoted(case.row.source_column)} is {left}, {quoted(name)} is {right}: {said}", hint)


def _sql_kinds(facts: Facts, case: Case) -> set[str]:
    """How SQL makes the model column of a row from its source column; empty when it does not."""
    column, target = case.row.source_column.lower(), (case.row.model_column or "").lower()
    lineage = facts.lineage.get((case.source.id, case.model.id), []) if case.source and case.model else []
    return {x.kind for x in lineage if x.source_column.lower() == column and x.model_column.lower() == target}
