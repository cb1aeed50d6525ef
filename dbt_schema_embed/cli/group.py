"""The list of commands. A command's module is imported when it runs, so that this list costs nothing."""

from importlib import import_module
from typing import Any

import click

from dbt_schema_embed import __version__
from dbt_schema_embed.errors import nearest

COMMANDS = {
    "suggest": "Say which model column each source column feeds.",
    "review": "Decide about suggestions in the terminal.",
    "report": "Draw the mappings as one HTML file.",
    "accept": "Accept suggestions in mapping files.",
    "reject": "Reject suggestions in mapping files.",
    "reopen": "Open decided suggestions again.",
    "export": "Write mappings as CSV or XLSX, to decide in a spreadsheet.",
    "import": "Take over what people decided in a spreadsheet.",
    "apply": "Put accepted mappings into the sources' YAML, for dbt macros.",
    "glossary": "Propose words of your project from accepted suggestions.",
    "stage": "Write a staging model from accepted mappings.",
    "check": "Check the mapping files against the project.",
    "search": "Find columns by words.",
    "match": "Match the columns of two tables in files.",
    "profile": "Let your dbt look at the rows of source tables.",
    "evaluate": "Measure suggestions on models that exist.",
    "index": "Build the index that search uses.",
    "mcp": "Serve your agent: it proposes, you accept.",
    "bench": "Measure the encoder, the memo and suggest on this machine.",
    "cache": "Look after the memo of vectors.",
    "doctor": "Say what is installed, found and missing, and what to do.",
}
"""Command -> what it does, in the order of the work. The module of the same name here defines ``command``."""


class Lazy(click.Group):
    """A group whose commands are imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """The names of all commands, in the order people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"dbt_schema_embed.cli.{cmd_name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        """As click does it, with a near name for one that does not exist."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = nearest(name, COMMANDS)
            hint = f" Did you mean {near[0]}?" if near else ""
            ctx.fail(f"There is no command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The commands for --help, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    "dbt-schema-embed",
    cls=Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nIn a dbt project, after `dbt parse` or `dbt docs generate`:\n"
    "  dbt-schema-embed suggest                    which raw column feeds which model column?\n"
    "  dbt-schema-embed suggest --write            the same, as YAML to review in git\n"
    "  dbt-schema-embed check                      does what was accepted still fit the project?\n"
    "\b\nExit codes: 0 fine, 1 findings, 2 usage or settings, 3 artifacts missing or unreadable,\n"
    "4 an optional part is not installed.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def group() -> None:
    """Match raw source columns to dbt model columns: how sure, why, and as YAML you review in git."""
