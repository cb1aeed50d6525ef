"""From anything that goes wrong to one message and the right exit code."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from dbt_schema_embed import errors
from dbt_schema_embed.cli.group import COMMANDS
from tests.cli.conftest import Tool


def raising(problem: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ``check`` raise ``problem``."""

    def call(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr("dbt_schema_embed.pipeline.SchemaEmbed.check", call)


@pytest.mark.parametrize(
    ("problem", "code", "err"),
    [
        (errors.ConfigError("no", hint="do this"), 2, "error: no\n  do this\n"),
        (errors.ArtifactError("no"), 3, "error: no\n"),
        (errors.MappingError("no", path="a.yml", line=3), 1, "error: a.yml:3: no\n"),
        (errors.MissingExtraError("suggest", "embed"), 4,
         "error: suggest needs an optional part: pip install 'dbt-schema-embed[embed]'\n"),
        (errors.EncoderError("no"), 2, "error: no\n"),
        (errors.WriteError("two\nlines\x1b[31m"), 1, "error: two\n  lines[31m\n"),
        (KeyError("x\ny"), 1, "error: unexpected KeyError: 'x\\ny'\n"
         "  this is a bug: please report it, with what SCHEMA_EMBED_DEBUG=1 shows\n"),
        (ValueError(), 1, "error: unexpected ValueError: no message\n"
         "  this is a bug: please report it, with what SCHEMA_EMBED_DEBUG=1 shows\n"),
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
        (BrokenPipeError(), 141, ""),
    ],
)  # fmt: skip
def test_an_error_is_a_message_and_a_code(
    tool: Tool, monkeypatch: pytest.MonkeyPatch, problem: BaseException, code: int, err: str
) -> None:
    raising(problem, monkeypatch)
    done = tool("check")
    assert (done.code, done.out) == (code, "")
    assert done.err.lstrip("\n") == err


def test_a_bug_shows_its_traceback_to_those_who_ask(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(KeyError("x"), monkeypatch)
    monkeypatch.setenv("SCHEMA_EMBED_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["dbt-schema-embed", "check"])
    from dbt_schema_embed.cli.run import run

    with pytest.raises(KeyError):
        run()


@pytest.mark.parametrize(
    ("args", "err"),
    [
        (("sugest",), "Error: There is no command 'sugest'. Did you mean suggest?\n"),
        (("frobnicate",), "Error: There is no command 'frobnicate'.\n"),
        (("suggest", "--formt", "json"), "Error: No such option '--formt'. Did you mean '--format'?\n"),
        (("suggest", "--format", "xml"),
         "Error: Invalid value for '--format': 'xml' is not one of 'table', 'json', 'markdown'.\n"),
        (("suggest", "--set", "batch_size"),
         "Error: Invalid value for '--set': 'batch_size' is not NAME=VALUE, e.g. batch_size=64\n"),
        (("suggest", "--project-dir", "{}/file"),
         "Error: Invalid value for '--project-dir': Directory '{}/file' is a file.\n"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_a_usage_error(tool: Tool, tmp_path: Path, args: tuple[str, ...], err: str) -> None:
    (tmp_path / "file").touch()
    done = tool(*(arg.format(tmp_path) for arg in args))
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(err.format(tmp_path))


@pytest.mark.parametrize(
    ("args", "err"),
    [
        (("--set", "batchsize=1"),
         "error: unknown setting 'batchsize' in --set batchsize\n  did you mean batch_size?\n"),
        (("--set", "batch_size=x"), "error: --set batch_size is 'x': it must be a whole number, 1 or more\n"),
        (("--set", "severity=x"), "error: severity cannot be set by --set severity\n"
         "  write it into one of pyproject.toml, dbt_schema_embed.yml, dbt_project.yml\n"),
        (("--dialect", "postgress"), "error: "),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_a_configuration_error(in_shop: Tool, args: tuple[str, ...], err: str) -> None:
    done = in_shop("suggest", *args)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(err)


def test_every_command_has_its_module_and_says_what_the_list_says() -> None:
    from importlib import import_module

    for name in COMMANDS:
        command = import_module(f"dbt_schema_embed.cli.{name}").command
        assert command.name == name
        assert "Examples:" in command.epilog
        assert all(p.help for p in command.params if isinstance(p, click.Option) and p.name != "form"), name


def test_help_lists_the_commands_and_teaches(tool: Tool) -> None:
    done = tool("--help")
    assert done.code == 0
    assert all(f"  {name} " in done.out and text in done.out for name, text in COMMANDS.items())
    assert "dbt-schema-embed suggest --write" in done.out
    assert tool("-h").out == done.out
    assert tool("--version").out.startswith("dbt-schema-embed 0.")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_help_has_examples_that_name_real_options(tool: Tool, name: str) -> None:
    from importlib import import_module

    done = tool(name, "--help")
    assert done.code == 0
    command = import_module(f"dbt_schema_embed.cli.{name}").command
    known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
    if isinstance(command, click.Group):
        known |= {o for sub in command.commands.values() for p in sub.params for o in p.opts}
    examples = done.out.split("Examples:")[1].splitlines()
    lines = [line for line in examples if line.strip()]
    assert lines
    assert all(line.startswith(f"    dbt-schema-embed {name}") for line in lines)
    assert {word for line in lines for word in line.split() if word.startswith("--")} <= known


SLOW = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests in the background ignores it
from pathlib import Path
import dbt_schema_embed.pipeline as pipeline
def check(self, *_, **__):
    Path("started").touch()
    while True:
        try:
            time.sleep(0.05)
        except SWALLOWED:
            pass
pipeline.SchemaEmbed.check = check
sys.argv = ["dbt-schema-embed", "check"]
from dbt_schema_embed.cli import main
main()
"""


@pytest.mark.parametrize("swallowed", ["()", "KeyboardInterrupt"])
def test_ctrl_c_ends_a_command_at_once_with_130(tmp_path: Path, swallowed: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SLOW.replace("SWALLOWED", swallowed)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        deadline = time.monotonic() + 30
        while not (tmp_path / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=10)
        finally:
            process.kill()
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in err


def test_a_reader_that_goes_away_is_no_error(shop: Path) -> None:
    script = (
        "import sys; sys.argv = ['dbt-schema-embed', 'check', '--help']; from dbt_schema_embed.cli import main; main()"
    )
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=write, stderr=subprocess.PIPE, cwd=shop, check=False, text=True
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_name_the_terminal_cannot_show_is_no_error(shop: Path) -> None:
    script = (
        "import sys; sys.argv = ['dbt-schema-embed', 'accept', 'zürich.läden', 'straße'];"
        "from dbt_schema_embed.cli import main; main()"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, cwd=shop, check=False, text=True, env=environment
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: there are no mapping files")


@pytest.mark.parametrize(("argument", "code"), [("--version", 0), ("sugest", 2)])
def test_what_waits_for_the_end_is_done_before_it(argument: str, code: int) -> None:
    tool = "import atexit; atexit.register(print, 'done'); from dbt_schema_embed.cli import main; main(); print('more')"
    done = subprocess.run([sys.executable, "-c", tool, argument], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (code, ["done"])
