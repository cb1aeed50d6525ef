"""dbt-schema-embed profile."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli.console import say, show
from dbt_schema_embed.cli.options import (
    Place,
    Selecting,
    examples,
    output_options,
    project_options,
    selection_options,
)
from dbt_schema_embed.errors import printable

if TYPE_CHECKING:
    from dbt_schema_embed.observe.profiling import Profiled
    from dbt_schema_embed.pipeline import SchemaEmbed


@click.command(
    "profile",
    cls=Selecting,
    epilog=examples(
        "dbt-schema-embed profile",
        "dbt-schema-embed profile --select source:stripe --target prod --row-limit 1000",
    ),
)
@selection_options
@click.option("--target", metavar="NAME", help="dbt's target.  [default: as in profiles.yml]")
@click.option(
    "--profiles-dir", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Folder of profiles.yml."
)
@click.option("--row-limit", type=click.IntRange(1), help="Most rows of a table to look at.  [default: 10000]")
@output_options("text", "json")
@project_options
def command(
    engine: "SchemaEmbed",
    place: Place,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    target: str | None,
    profiles_dir: Path | None,
    row_limit: int | None,
    form: str,
    output: Path | None,
) -> int:
    """Let your dbt look at the rows of source tables, and keep what they look like for suggest.

    Calls dbt run-operation schema_embed_profile of the dbt package. Statistics are kept: counts, shapes;
    values only where the setting store_samples is true. A table that fails costs that table, and exit code 1.
    """
    found = engine.profile(
        place.project_dir, select=select, exclude=exclude, target=target, profiles_dir=profiles_dir,
        row_limit=row_limit, **place.artifacts,
    )  # fmt: skip
    show(_json(found) if form == "json" else _text(found), output)
    say(f"wrote {printable(found.path)}")
    return int(bool(found.failed))


def _text(found: "Profiled") -> str:
    lines = [
        f"{printable(name)}: {table.rows_profiled:,} rows looked at, {len(table.columns)} columns"
        for name, table in sorted(found.tables.items())
    ]
    lines += [f"{printable(name)}: not in the warehouse" for name in sorted(found.missing)]
    lines += [f"{printable(name)}: failed: {problem}" for name, problem in sorted(found.failed.items())]
    return "\n".join(lines) + "\n"


def _json(found: "Profiled") -> str:
    rows = {
        name: {"row_count": table.row_count, "rows_profiled": table.rows_profiled, "columns": len(table.columns)}
        for name, table in sorted(found.tables.items())
    }
    data = {"schema_version": 1, "tables": rows, "missing": sorted(found.missing), "failed": found.failed}
    return json.dumps(data, indent=2) + "\n"
