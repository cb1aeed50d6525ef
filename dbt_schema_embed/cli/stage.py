"""dbt-schema-embed stage."""

import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli import completion
from dbt_schema_embed.cli.console import say_changed, say_next
from dbt_schema_embed.cli.options import Place, examples, form_option, project_options

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed


@click.command(
    "stage",
    epilog=examples(
        "dbt-schema-embed stage stripe.charges --dry-run",
        "dbt-schema-embed stage stripe.charges --materialized view",
        "dbt-schema-embed stage --new stripe.charges      a model for a table that nobody has planned one for",
        "dbt-schema-embed stage --plan stripe.charges     its YAML alone, to be changed before there is SQL",
    ),
)
@click.argument("source", metavar="SOURCE.TABLE", shell_complete=completion.sources)
@click.option(
    "--model",
    metavar="NAME",
    shell_complete=completion.models,
    help="The model to write.  [default: the one that most columns feed]",
)
@click.option("--new", is_flag=True, help="Columns that map to nothing become new ones, named in your project's style.")
@click.option(
    "--plan", is_flag=True, help="Write the YAML of such a model alone, switched off: dbt leaves it be. Accept nothing."
)
@click.option(
    "--leading-commas/--trailing-commas", default=None, help="Where commas stand.  [default: as in your staging models]"
)
@click.option("--case-sensitive-cols", is_flag=True, help="Quote every source column.")
@click.option("--materialized", metavar="NAME", help="Add a config block with it.")
@click.option("--dry-run", is_flag=True, help="Show what would change and write nothing.")
@form_option
@project_options
def command(
    engine: "SchemaEmbed",
    place: Place,
    source: str,
    model: str | None,
    new: bool,
    plan: bool,
    leading_commas: bool | None,
    case_sensitive_cols: bool,
    materialized: str | None,
    dry_run: bool,
    form: str,
) -> None:
    """Write the staging model of a source table from its accepted mapping.

    Renames and casts are done, what is not mapped stands there as comments, all in the style of your other staging
    models. A model that has SQL gains what was accepted since; every line that is there stays. A planned model that is
    switched off (`enabled: false`) is switched on.
    """
    if plan:
        planned = engine.decisions.plan(source, place.project_dir, dry_run=dry_run, **place.artifacts)
        say_changed(planned, form, dry_run=dry_run, otherwise="the plan is written already")
        say_next(planned, form, f"dbt-schema-embed review --select {shlex.quote(source)}")
        return
    changed = engine.decisions.stage(
        source, place.project_dir, model=model, new=new, leading_commas=leading_commas,
        case_sensitive_cols=case_sensitive_cols, materialized=materialized, dry_run=dry_run, **place.artifacts,
    )  # fmt: skip
    say_changed(changed, form, dry_run=dry_run, otherwise="the model has all that is accepted")
    models = [PurePosixPath(name).stem for name in changed.files if name.endswith(".sql")]
    parse = "--no-partial-parse " if changed.unparsed else ""
    say_next(changed, form, f"dbt build {parse}--select {shlex.quote(models[0])}" if models else "")
