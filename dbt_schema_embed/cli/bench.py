"""dbt-schema-embed bench."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli.console import show
from dbt_schema_embed.cli.options import Place, examples, output_options, project_options

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed


@click.command(
    "bench",
    epilog=examples(
        "dbt-schema-embed bench",
        "dbt-schema-embed bench --generated --format json --output bench.json",
        "dbt-schema-embed bench --rounds 1 --texts 100 --set max_workers=1",
    ),
)
@click.option("--generated", is_flag=True, help="Encode generated column names; no project is needed.")
@click.option("--texts", type=click.IntRange(40, 100_000), default=600, show_default=True, help="Most texts to encode.")
@click.option("--rounds", type=click.IntRange(1, 100), default=5, show_default=True, help="Turns of each contender.")
@output_options("table", "json")
@project_options
def command(
    engine: "SchemaEmbed", place: Place, generated: bool, texts: int, rounds: int, form: str, output: Path | None
) -> None:
    """Measure encoder, memo and suggest on this machine, beside what else one would use: ratios, goals, the machine.

    Takes minutes, and every core it may use.
    """
    project_dir = None if generated else place.project_dir
    found = engine.measures.bench(project_dir, texts=texts, rounds=rounds, **place.artifacts)
    show(found.text(form), output)
