"""Commands that give named columns one status: `reject` and `reopen`."""

from typing import TYPE_CHECKING, Literal

import click

from dbt_schema_embed.cli import completion
from dbt_schema_embed.cli.console import say_changed
from dbt_schema_embed.cli.options import Place, answer_options, examples, form_option, project_options

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed


def deciding(
    name: str, status: Literal["rejected", "suggested"], text: str, *lines: str, otherwise: str
) -> click.Command:
    """The command ``name``: its help, examples, and what it says where nothing changes."""

    @click.command(name, help=text, epilog=examples(*lines))
    @click.argument("source", metavar="SOURCE.TABLE", shell_complete=completion.sources)
    @click.argument(
        "columns", nargs=-1, required=True, metavar="COLUMN...", shell_complete=completion.table_then_columns
    )
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
        changed = engine.decisions.decide(
            place.project_dir, source, columns, status, model=model, model_column=model_column, note=note,
            **place.artifacts,
        )  # fmt: skip
        say_changed(changed, form, otherwise=otherwise)

    return command
