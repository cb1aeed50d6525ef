"""Tables that are not compared: those without columns, and those with more than can be."""

from collections.abc import Sequence

from dbt_schema_embed.errors import ArtifactError, printable
from dbt_schema_embed.records import MAX_COLUMNS, Relation, Suggestion


def too_wide(relation: Relation) -> str:
    """What is to be said of a table with more columns than can be compared; "": it has not."""
    count = len(relation.columns)
    if count <= MAX_COLUMNS:
        return ""
    return f"{printable(relation.label)} has {count:,} columns, more than {MAX_COLUMNS:,}: it is not compared"


def check_table(table: Relation) -> None:
    """Raises ArtifactError: a table has no columns, or too many."""
    if not table.columns:
        raise ArtifactError(f"the table {printable(table.id)} has no columns")
    if said := too_wide(table):
        raise ArtifactError(f"the table {said}")


def with_the_rest(rows: tuple[Suggestion, ...], sources: Sequence[Relation]) -> tuple[Suggestion, ...]:
    """The rows, and undecided ones for the columns of tables that were not compared; tables by id."""
    rest = [
        Suggestion(source.id, column.name, None, None, 0.0, reason="its table has too many columns", undecided=True)
        for source in sources if too_wide(source) for column in source.columns
    ]  # fmt: skip
    return tuple(sorted((*rows, *rest), key=lambda row: row.source)) if rest else rows
