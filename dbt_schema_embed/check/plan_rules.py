"""What `check` looks for on the models' side: columns that are planned, and that nothing makes."""

import shlex
from collections.abc import Iterator

from dbt_schema_embed.check.facts import Case, Facts, Found, quoted
from dbt_schema_embed.errors import listed, printable


def not_in_sql(facts: Facts) -> Iterator[Found]:
    """A row is accepted, and the model has SQL that lacks the column."""
    for case in facts.cases:
        column = case.model_column
        if case.row.status == "accepted" and case.model and case.model.has_sql and column and column.absent:
            said = f"the SQL of {quoted(case.row.model)} has no column {quoted(column.name)}"
            yield case.found(
                said, f"dbt-schema-embed stage {printable(case.file.source)} --model {printable(case.row.model)}"
            )


def unfed_column(facts: Facts) -> Iterator[Found]:
    """A model that mapping files feed is to have columns that nothing feeds, not even a suggestion."""
    fed = {(line.model, line.model_column.lower()) for line in facts.project.lineage}
    homes: dict[str, Case] = {}
    decided: set[str] = set()
    for case in facts.cases:
        if case.model is not None and case.row.status != "rejected":
            fed.add((case.model.id, (case.row.model_column or "").lower()))
            homes.setdefault(case.model.id, case)
            decided |= {case.model.id} if case.row.status == "accepted" else set()
    for unique_id, case in homes.items():
        model = case.model
        for must in (True, False):
            lacking = [
                quoted(column.name)
                for column in (model.columns if model else ())
                if model is not None and (not model.has_sql or column.absent)
                if (unique_id, column.name.lower()) not in fed
                if must == model.requires(column)
            ]
            if lacking:
                said = f"nothing feeds {listed(lacking)} of {quoted(case.row.model)}"
                said += ", which must not be empty" if must else ""
                hint = "map a column to it, or take it out of the plan"
                yield Found(said, case.file.path, 0, hint, binding=must and unique_id in decided)


def undecided_columns(facts: Facts) -> Iterator[Found]:
    """A mapping file has columns that nobody has decided about."""
    for file in facts.files:
        if file.undecided:
            names = listed([quoted(name) for name in file.undecided])
            hint = f"dbt-schema-embed review --select {shlex.quote(printable(file.source))}"
            yield Found(f"undecided: {names}", file.path, file.undecided_line, hint)
