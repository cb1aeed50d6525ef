"""dbt-schema-embed glossary."""

from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli.console import say_written
from dbt_schema_embed.cli.options import Place, examples, project_options

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed


@click.command(
    "glossary",
    epilog=examples("dbt-schema-embed glossary", "dbt-schema-embed glossary --write"),
)
@click.option("--write", is_flag=True, help="Add them to schema_mappings/glossary.yml.")
@project_options
def command(engine: "SchemaEmbed", place: Place, write: bool) -> None:
    """Propose words of your project from accepted suggestions.

    A word that no dictionary knows is shown with what the model columns you accepted say that it means. Suggestions use
    the words of schema_mappings/glossary.yml; edit that file as you like.
    """
    found = engine.glossary(place.project_dir, write=write, **place.artifacts)
    if found.written:
        say_written((found.written,))
    elif found.text:
        click.echo(found.text, nl=False)
    else:
        click.echo("no new words: accepted columns are all understood", err=True)
