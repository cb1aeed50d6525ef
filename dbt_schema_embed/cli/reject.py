"""dbt-schema-embed reject."""

from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli import completion
from dbt_schema_embed.cli.console import say_changed
from dbt_schema_embed.cli.options import Place, answer_options, examples, form_option, project_options

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed


@click.command(
    "reject",
    epilog=examples(
        "dbt-schema-embed reject stripe.charges livemode",
        "dbt-schema-embed reject stripe.charges id --model stg_stripe__charges --column customer_id",
    ),
)
@click.argument("source", metavar="SOURCE.TABLE", shell_complete=completion.sources)
@click.argument("columns", nargs=-1, required=True, metavar="COLUMN...", shell_complete=completion.table_then_columns)
@answer_options("With --column: which answer, where a column has several.")
@form_option
@project_options
def command(
    engine: "SchemaEmbed",
    place: Place,
    source: str,
    columns: tuple[str, ...],
    model: str | None,
    model_column: str | None,
    note: str | None,
    form: str,
) -> None:
    """Reject suggestions in the mapping files.

    A rejected pair is not suggested again; the next run of suggest may find another.
    """
    changed = engine.decisions.decide(
        place.project_dir, source, columns, "rejected", model=model, model_column=model_column, note=note,
        **place.artifacts,
    )  # fmt: skip
    say_changed(changed, form, otherwise="they were rejected already")
