"""Room: click commands; each is options -> Settings -> one pipeline call -> print -> exit code.

A command is a file here, named as the command, that defines ``command``, and a line in `group.COMMANDS`.
"""


def main() -> None:
    """Run the command line and end the process."""
    import os

    try:
        from dbt_schema_embed.cli.run import run_and_leave
    except KeyboardInterrupt:
        os._exit(130)
    run_and_leave()
