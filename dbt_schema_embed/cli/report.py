"""dbt-schema-embed report."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli.console import say
from dbt_schema_embed.cli.options import Place, Selecting, examples, project_options, selection_options, targets_option

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed
    from dbt_schema_embed.settings import Targets


@click.command(
    "report",
    cls=Selecting,
    epilog=examples(
        "dbt-schema-embed report",
        "dbt-schema-embed report --select source:stripe --output stripe.html",
    ),
)
@selection_options
@targets_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file to write.  [default: schema_embed/report.html in the target path]",
)
@project_options
def command(
    engine: "SchemaEmbed",
    place: Place,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    targets: "Targets | None",
    output: Path | None,
) -> None:
    """Draw the mappings as one HTML file: what needs a person, what feeds each model, findings of check, evidence,
    candidates, and what changed since the report that stood there.

    The file opens from disk, loads nothing from a network and holds no sample values.
    """
    made = engine.report(
        place.project_dir, select=select, exclude=exclude, targets=targets, output=output, **place.artifacts
    )
    say(f"wrote {made.shown}: {made.columns:,} columns, {made.people:,} need a person")
