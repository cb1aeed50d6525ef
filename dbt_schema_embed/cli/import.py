"""dbt-schema-embed import."""  # noqa: N999  a module is called as its command

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli.console import complain, say, say_changed
from dbt_schema_embed.cli.options import Place, examples, form_option, project_options

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import SchemaEmbed

_LINES = 50


@click.command(
    "import",
    epilog=examples("dbt-schema-embed import mappings.xlsx --dry-run", "dbt-schema-embed import mappings.xlsx"),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Show a diff and write nothing.")
@form_option
@project_options
def command(engine: "SchemaEmbed", place: Place, file: Path, dry_run: bool, form: str) -> int:
    """Take what people changed in a sheet of export over into the mapping files.

    Rows that nobody changed change nothing. A row that was changed here and there is a conflict: it is told, and
    nothing at all is taken over. Exits with 1 then.
    """
    found = engine.decisions.import_(file, place.project_dir, dry_run=dry_run, **place.artifacts)
    if form == "json" or not found.problems:
        say_changed(found, form, dry_run=dry_run, otherwise="the mapping files say all of it already")
        if found.decisions and not dry_run:
            say(f"took over {found.decisions:,} decisions")
        return int(bool(found.problems))
    for line in found.problems[:_LINES]:
        complain(line)
    more = f" (the first {_LINES} of {len(found.problems):,} are told)" if len(found.problems) > _LINES else ""
    say(f"nothing was taken over{more}")
    return 1
