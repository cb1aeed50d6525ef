"""dbt-schema-embed export."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli import completion
from dbt_schema_embed.cli.console import say
from dbt_schema_embed.cli.options import Place, examples, project_options

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed


@click.command(
    "export",
    epilog=examples(
        "dbt-schema-embed export mappings.xlsx",
        "dbt-schema-embed export mappings.csv stripe.charges",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.argument("sources", nargs=-1, metavar="[SOURCE.TABLE]...", shell_complete=completion.sources)
@project_options
def command(engine: "SchemaEmbed", place: Place, file: Path, sources: tuple[str, ...]) -> None:
    """Write the mapping files as a sheet, FILE.csv or FILE.xlsx, for people who decide in a spreadsheet.

    They change status, model, model_column, expression and note; import takes that over. The column mark says what a
    row was, and stays as it is.
    """
    count = engine.decisions.export(file, place.project_dir, sources, **place.artifacts)
    say(f"wrote {file}: {count:,} rows")
    say(f"next, when they are decided: dbt-schema-embed import {file}")
