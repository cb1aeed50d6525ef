"""dbt-schema-embed search."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli import completion
from dbt_schema_embed.cli.console import show
from dbt_schema_embed.cli.measuring import metrics_options
from dbt_schema_embed.cli.options import Place, examples, looks, output_options, project_options

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed


@click.command(
    "search",
    epilog=examples(
        'dbt-schema-embed search "customer e-mail"',
        'dbt-schema-embed search "when was it paid" --type timestamp --limit 5',
        'dbt-schema-embed search amount --table stripe.charges --min-score 0.5 --format json',
    ),
)  # fmt: skip
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Most columns to show.")
@click.option("--min-score", type=click.FloatRange(0, 1), help="Only columns with at least this score, from 0 to 1.")
@click.option("--type", "type_", metavar="TYPE", help="Only this type (varchar) or family of types (text).")
@click.option(
    "--table", metavar="NAME", shell_complete=completion.selections, help="Only this table, source, schema or model."
)
@output_options("table", "json")
@project_options
@metrics_options
def command(
    engine: "SchemaEmbed",
    place: Place,
    words: tuple[str, ...],
    limit: int,
    min_score: float | None,
    type_: str | None,
    table: str | None,
    form: str,
    output: Path | None,
) -> None:
    """Find the columns of the project that are nearest to some words, and where they are used.

    Looks at names, tables and descriptions of sources, models, seeds and snapshots. Builds the index when it is missing
    and brings it up to date.
    """
    from dbt_schema_embed.pipeline import hits_text

    hits = engine.search(
        " ".join(words), place.project_dir, limit=limit, min_score=min_score, type=type_, table=table, **place.artifacts
    )
    show(hits_text(hits, form, width=looks(output)["width"]), output)
