"""dbt-schema-embed accept."""

import shlex
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli import completion
from dbt_schema_embed.cli.console import say, say_changed, say_next
from dbt_schema_embed.cli.options import Place, answer_options, examples, form_option, project_options

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed


@click.command(
    "accept",
    epilog=examples(
        "dbt-schema-embed accept stripe.charges id amount",
        "dbt-schema-embed accept stripe.charges created --model stg_stripe__charges --column created_at",
        "dbt-schema-embed accept crm.people first last --model stg_people --column full_name "
        "--expression \"first || ' ' || last\"",
        "dbt-schema-embed accept --source stripe.charges --min-confidence 0.9",
        "dbt-schema-embed accept --min-confidence 0.95      in every mapping file",
    ),
)
@click.argument("names", nargs=-1, metavar="[SOURCE.TABLE COLUMN...]", shell_complete=completion.table_then_columns)
@click.option("--source", metavar="SOURCE.TABLE", shell_complete=completion.sources, help="The source table.")
@click.option(
    "--min-confidence", type=click.FloatRange(0, 1), metavar="0..1", help="Every suggestion that is at least so sure."
)
@answer_options("With --column: another answer than the suggested one; it takes the place of the one accepted before.")
@click.option("--also", is_flag=True, help="With --model and --column: beside what was accepted before.")
@click.option("--expression", metavar="SQL", help="How the model column is made of the columns.")
@form_option
@project_options
def command(
    engine: "SchemaEmbed",
    place: Place,
    names: tuple[str, ...],
    source: str | None,
    min_confidence: float | None,
    model: str | None,
    model_column: str | None,
    note: str | None,
    form: str,
    also: bool,
    expression: str | None,
) -> None:
    """Accept suggestions in the mapping files, as a person would by hand: the status of the row changes, no more.

    Accepting a column that is listed as undecided or unmapped says for good that it feeds nothing.
    """
    table, columns = (source, names) if source else ((*names[:1], None)[0], names[1:])
    if min_confidence is not None:
        if columns or model or model_column or note or also or expression:
            raise click.UsageError("--min-confidence takes a source table or none, and no columns")
        accepted, changed = engine.decisions.accept_confident(place.project_dir, min_confidence, source=table)
        say_changed(changed, form)
        say(f"accepted {accepted} suggestions")
        say_next(changed, form, f"dbt-schema-embed stage {shlex.quote(table)}" if table else "")
        return
    if table is None or not columns:
        raise click.UsageError("say which: SOURCE.TABLE COLUMN..., or --min-confidence")
    changed = engine.decisions.decide(
        place.project_dir, table, columns, "accepted", model=model, model_column=model_column, note=note,
        also=also, expression=expression, **place.artifacts,
    )  # fmt: skip
    say_changed(changed, form, otherwise="they were accepted already")
    say_next(changed, form, f"dbt-schema-embed stage {shlex.quote(table)}")
