"""dbt-schema-embed index."""

from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli.console import show
from dbt_schema_embed.cli.measuring import metrics_options
from dbt_schema_embed.cli.options import Place, examples, project_options

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed


@click.command(
    "index",
    epilog=examples("dbt-schema-embed index", "dbt-schema-embed index --verify", "dbt-schema-embed index --on ray"),
)
@click.option("--verify", is_flag=True, help="Compare every vector in the index, and mend what differs.")
@click.option("--on", type=click.Choice(("ray",)), help="Encode on the Ray cluster of ray_address, else on one of this "
              "machine that lives as long as the run.")  # fmt: skip
@project_options
@metrics_options
def command(engine: "SchemaEmbed", place: Place, verify: bool, on: str | None) -> None:
    """Build the index that search uses, or bring it up to date: only columns that changed are written.

    It lives in target/schema_embed and can be removed at any time.
    """
    cluster = engine.settings.ray_address or (on and "local")
    changes = engine.index(place.project_dir, verify=verify, cluster=cluster, **place.artifacts)
    counts = f"{changes.added} added, {changes.changed} changed, {changes.removed} removed, {changes.kept} kept"
    show(f"index: {counts}" + (", every vector verified" if verify else ""))
