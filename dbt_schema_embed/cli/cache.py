"""dbt-schema-embed cache."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli.console import show
from dbt_schema_embed.cli.options import Place, examples, output_options, project_options, settings_options
from dbt_schema_embed.errors import printable

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(
    "cache",
    epilog=examples(
        "dbt-schema-embed cache stats",
        "dbt-schema-embed cache warm --project-dir shop",
        "dbt-schema-embed cache export memo.bin        carry it to a CI runner ...",
        "dbt-schema-embed cache import memo.bin        ... and take it in there",
    ),
)
def command() -> None:
    """Look after the memo: the vectors of every text that was ever encoded here, shared by all projects."""


@command.command("stats")
@output_options("text", "json")
@settings_options
def stats(engine: "SchemaEmbed", place: Place, form: str, output: Path | None) -> None:  # noqa: ARG001
    """Say where the memo is and how much it holds."""
    found = engine.cache.stats()
    if form == "json":
        show(json.dumps({"schema_version": 1, **found}, indent=2) + "\n", output)
        return
    size = f"{found['bytes'] / 2**20:.1f} MB of at most {found['size_limit'] / 2**30:.0f} GB"
    lines = [printable(found["path"]), f"{found['entries']:,} vectors, {size}", *found["notes"]]
    show("\n".join(lines) + "\n", output)


@command.command("clear")
@settings_options
def clear(engine: "SchemaEmbed", place: Place) -> None:  # noqa: ARG001
    """Empty the memo on this machine. The next run encodes everything again, or asks the shared one."""
    show(f"{engine.cache.clear():,} vectors removed")


@command.command("warm")
@click.option("--names", type=_FILE, metavar="FILE", help="Column names, one a line, in place of a project.")
@project_options
def warm(engine: "SchemaEmbed", place: Place, names: Path | None) -> None:
    """Encode the columns of a project, or the names in a file, so that later runs find them."""
    texts, encoded = engine.cache.warm(place.project_dir, names=names, **place.artifacts)
    show(f"{texts:,} texts, {encoded:,} of them encoded now")


@command.command("export")
@click.argument("file", type=_FILE)
@settings_options
def export(engine: "SchemaEmbed", place: Place, file: Path) -> None:  # noqa: ARG001
    """Write the memo to one file."""
    show(f"{engine.cache.export(file):,} vectors written to {printable(file)}")


@command.command("import")
@click.argument("file", type=_FILE)
@settings_options
def import_(engine: "SchemaEmbed", place: Place, file: Path) -> None:  # noqa: ARG001
    """Add the vectors of a file that export wrote."""
    show(f"{engine.cache.import_(file):,} vectors taken in")
