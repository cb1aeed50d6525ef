"""dbt-schema-embed suggest."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli import completion
from dbt_schema_embed.cli.console import say, say_written, show
from dbt_schema_embed.cli.measuring import metrics_options
from dbt_schema_embed.cli.options import (
    Place,
    Selecting,
    examples,
    looks,
    output_options,
    project_options,
    selection_options,
    targets_option,
)

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed
    from dbt_schema_embed.settings import Targets


@click.command(
    "suggest",
    cls=Selecting,
    epilog=examples(
        "dbt-schema-embed suggest --select stripe.charges",
        "dbt-schema-embed suggest --select source:stripe --write",
        "dbt-schema-embed suggest --select erp.ORDDTL --into stg_erp__order_lines --write",
        "dbt-schema-embed suggest --explain stripe.charges.id",
        "dbt-schema-embed suggest --targets all --format json --output suggestions.json",
    ),
)
@selection_options
@targets_option
@click.option(
    "--top-k",
    "--candidates",
    "top_k",
    type=click.IntRange(0, 100),
    default=10,
    show_default=True,
    help="Most candidates a column; 0 with --format json: the answers alone.",
)
@click.option("--propose", is_flag=True, help="Propose new columns, and models, for what maps to nothing.")
@click.option(
    "--explain",
    metavar="SOURCE.COLUMN",
    shell_complete=completion.source_columns,
    help="Say in full why this column gets its suggestion.",
)
@click.option("--profile", is_flag=True, help="Let your dbt look at the rows first; values stay in memory.")
@click.option(
    "--into",
    multiple=True,
    metavar="MODEL",
    shell_complete=completion.models,
    help="These tables feed this model, and no other that is not named; with --write their files keep it.",
)
@click.option(
    "--not-into",
    multiple=True,
    metavar="MODEL",
    shell_complete=completion.models,
    help="These tables do not feed this model; with --write their files keep it.",
)
@click.option(
    "--rerank",
    metavar="URL",
    help="Ask a language model of yours about what is doubtful, e.g. http://localhost:11434/v1 (Ollama, vLLM).",
)
@click.option("--rerank-model", metavar="NAME", default="", help="The model to ask there.")
@click.option("--allow-remote", is_flag=True, help="Let --rerank send names and descriptions to another machine.")
@click.option(
    "--changed-since",
    metavar="REF",
    help="Only rows whose mapping, model or source changed since this branch left REF, e.g. origin/main.",
)
@click.option("--write", is_flag=True, help="Also bring the mapping files (schema_mappings/*.yml) up to date.")
@click.option("--fail-on-change", is_flag=True, help="With --write: exit with 1 when a file changed.")
@output_options("table", "json", "markdown")
@project_options
@metrics_options
def command(
    engine: "SchemaEmbed",
    place: Place,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    targets: "Targets | None",
    top_k: int,
    propose: bool,
    explain: str | None,
    profile: bool,
    into: tuple[str, ...],
    not_into: tuple[str, ...],
    rerank: str | None,
    rerank_model: str,
    allow_remote: bool,
    changed_since: str | None,
    write: bool,
    fail_on_change: bool,
    form: str,
    output: Path | None,
) -> int:
    """Say which model column each column of the source tables feeds, how sure that is, and why.

    Prints one row for every column of every selected source table. What people accepted or rejected in the mapping
    files stays as it is.
    """
    from dbt_schema_embed.pipeline import json_text, suggestions_text
    from dbt_schema_embed.show.words import to_be_made

    if explain:
        text = engine.explain(explain, place.project_dir, targets=targets, **place.artifacts)
        said = {"schema_version": 1, "source_column": explain, "text": text}
        show(json_text(said) if form == "json" else text, output)
        return 0
    if (into or not_into) and not (select or exclude):
        raise click.UsageError("--into and --not-into go with --select: which tables?")
    server = None
    if rerank is not None:
        from dbt_schema_embed.decide.reranking import Reranker

        server = Reranker(rerank, rerank_model, allow_remote)
        server.check()
    answer = engine.suggest(
        place.project_dir, select=select, exclude=exclude, targets=targets, top_k=top_k, propose=propose, write=write,
        profile=profile, into=into, not_into=not_into, rerank=server,
        changed_since=changed_since, **place.artifacts,
    )  # fmt: skip
    show(suggestions_text(answer, form, compact=not top_k, **looks(output)), output)
    if write:
        say_written(answer.written, otherwise="the mapping files are up to date")
    if form == "table" and (table := to_be_made(answer.rows)):
        say(f"next: dbt-schema-embed stage --new {shlex.quote(table)}")
    return int(fail_on_change and bool(answer.written))
