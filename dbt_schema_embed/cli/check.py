"""dbt-schema-embed check."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbt_schema_embed.cli.console import say, show
from dbt_schema_embed.cli.options import Place, examples, looks, output_options, project_options
from dbt_schema_embed.doors import brought

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed


class Format(click.Choice):  # type: ignore[type-arg]
    """One of our formats, or the name of one that another package brings."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click does it, where the name is nobody else's."""
        if value not in self.choices and brought("formats", value):
            return value
        return super().convert(value, param, ctx)


@click.command(
    "check",
    epilog=examples(
        "dbt-schema-embed check",
        "dbt-schema-embed check --strict --format github",
        "dbt-schema-embed check --write-baseline      adopt check with what it finds today",
        "dbt-schema-embed check --format sarif --output check.sarif",
    ),
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Findings to pass over.  [default: schema_embed_baseline.json, if it is there]",
)
@click.option("--write-baseline", is_flag=True, help="Write today's findings to the baseline, and exit with 0.")
@output_options("text", "json", "github", "sarif", "junit", choice=Format)
@project_options
def command(
    engine: "SchemaEmbed",
    place: Place,
    strict: bool,
    baseline: Path | None,
    write_baseline: bool,
    form: str,
    output: Path | None,
) -> int:
    """Check the mapping files against the project: names that do not exist, types that do not fit, columns nobody
    mapped, SQL that does something else.

    Loads no encoder, so it is quick enough for pre-commit. Exits with 1 when there are errors.
    """
    if write_baseline:
        path, count = engine.write_baseline(place.project_dir, baseline=baseline, **place.artifacts)
        say(f"wrote {count} findings to {path}")
        return 0
    found = engine.check(place.project_dir, baseline=baseline, **place.artifacts)
    show(found.text(form, color=looks(output)["color"]), output)
    for note in found.notes:
        say(note)
    if found.known:
        say(f"{found.known} known findings passed over, as the baseline says")
    if found.gone:
        say(f"{found.gone} findings of the baseline no longer occur: check --write-baseline forgets them")
    return int(found.failed or (strict and bool(found.problems)))
