"""dbt-schema-embed mcp."""

from threading import Thread
from typing import TYPE_CHECKING

import click

from dbt_schema_embed.cli.options import Place, examples, project_options
from dbt_schema_embed.errors import SchemaEmbedError
from dbt_schema_embed.extras import need

if TYPE_CHECKING:
    from dbt_schema_embed.agent.kept import Kept
    from dbt_schema_embed.pipeline import SchemaEmbed


@click.command(
    "mcp",
    epilog=examples(
        "dbt-schema-embed mcp --project-dir /path/to/project",
        "dbt-schema-embed mcp --allow-write        let the agent write proposals into mapping files",
    ),
)
@click.option("--allow-write", is_flag=True, help="Let the agent write proposals; a person still accepts them.")
@click.option("--samples", is_flag=True, help="Show the agent a few sample values, secrets replaced.")
@project_options
def command(engine: "SchemaEmbed", place: Place, allow_write: bool, samples: bool) -> None:
    """Serve your agent (Claude Code, Cursor, VS Code ...) over stdin and stdout, by the Model Context Protocol.

    The agent sees what is undecided, explains, searches and checks. It accepts nothing. No network is used.
    """
    need("mcp", "mcp")
    from dbt_schema_embed.agent.kept import Kept
    from dbt_schema_embed.agent.tools import Desk

    kept = Kept(engine, place.project_dir, place.artifacts)
    warm = Thread(target=_warm, args=(kept,))  # while the protocol is imported and the client says hello
    warm.start()
    from dbt_schema_embed.agent.server import serve

    serve(Desk(kept, samples), allow_write=allow_write)
    warm.join()  # a thread in native code does not survive the end of Python


def _warm(kept: "Kept") -> None:
    try:
        kept.answers()
    except SchemaEmbedError:
        return  # the first call says so
