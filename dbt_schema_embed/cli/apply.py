"""dbt-schema-embed apply."""

from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli import completion
from dbt_schema_embed.cli.console import say_changed
from dbt_schema_embed.cli.options import Place, examples, form_option, project_options

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed


@click.command(
    "apply",
    epilog=examples(
        "dbt-schema-embed apply --dry-run",
        "dbt-schema-embed apply stripe.charges",
        "dbt-schema-embed apply --revert          take everything out again",
    ),
)
@click.argument("sources", nargs=-1, metavar="[SOURCE.TABLE]...", shell_complete=completion.sources)
@click.option("--dry-run", is_flag=True, help="Show a diff and write nothing.")
@click.option("--revert", is_flag=True, help="Take the mappings out of the YAML.")
@form_option
@project_options
def command(
    engine: "SchemaEmbed", place: Place, sources: tuple[str, ...], dry_run: bool, revert: bool, form: str
) -> None:
    """Put accepted mappings into the YAML that declares the sources, under each column's config.meta.schema_embed.

    There the macros of the dbt package find them (schema_embed_generate_staging, schema_embed_select). Nothing else in
    the YAML changes: comments, quotes and order stay.
    """
    changed = engine.decisions.apply(place.project_dir, sources, revert=revert, dry_run=dry_run, **place.artifacts)
    say_changed(changed, form, dry_run=dry_run, otherwise="the YAML of the sources is up to date")
