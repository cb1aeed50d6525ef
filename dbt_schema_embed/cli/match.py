"""dbt-schema-embed match."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli.console import show
from dbt_schema_embed.cli.measuring import metrics_options
from dbt_schema_embed.cli.options import Place, examples, looks, output_options, settings_options

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    "match",
    epilog=examples(
        "dbt-schema-embed match export.csv customers.parquet",
        "dbt-schema-embed match vendor.sql warehouse.sql --left-table orders --right-table fct_orders",
        "dbt-schema-embed match left.csv right.csv --left-docs left_columns.json --format json",
    ),
)
@click.argument("left", type=_FILE)
@click.argument("right", type=_FILE)
@click.option("--left-docs", type=_FILE, metavar="FILE", help='JSON {column: {"description", "type"}} for LEFT.')
@click.option("--right-docs", type=_FILE, metavar="FILE", help="The same for RIGHT.")
@click.option("--left-table", metavar="NAME", help="Which table, where LEFT is SQL that creates several.")
@click.option("--right-table", metavar="NAME", help="The same for RIGHT.")
@click.option("--top-k", type=click.IntRange(1, 100), default=10, show_default=True, help="Most candidates a column.")
@output_options("table", "json", "markdown")
@settings_options
@metrics_options
def command(
    engine: "SchemaEmbed",
    place: Place,  # noqa: ARG001
    left: Path,
    right: Path,
    left_docs: Path | None,
    right_docs: Path | None,
    left_table: str | None,
    right_table: str | None,
    top_k: int,
    form: str,
    output: Path | None,
) -> None:
    """Match the columns of two tables that stand in files: CSV, Parquet, or SQL that creates them.

    A CSV may have a header only. No dbt project is needed.
    """
    from dbt_schema_embed.pipeline import suggestions_text

    answer = engine.match(
        engine.relation(left, docs=left_docs, table=left_table),
        engine.relation(right, docs=right_docs, table=right_table),
        top_k=top_k,
    )
    show(suggestions_text(answer, form, **looks(output)), output)
