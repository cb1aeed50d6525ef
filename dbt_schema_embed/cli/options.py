"""Options that commands share, and the engine they come to."""

import functools
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbt_schema_embed.cli import completion
from dbt_schema_embed.cli.console import color_wanted, live, warn
from dbt_schema_embed.settings import Settings, parsed, trust

if TYPE_CHECKING:
    from dbt_schema_embed.pipeline import Artifacts, SchemaEmbed

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command works: the project and its artifacts."""

    project_dir: Path
    artifacts: "Artifacts"
    flags: dict[str, Any]  # settings from the command line
    trusted: bool = False  # what the project's own settings name counts from now on

    def settings(self) -> Settings:
        """The settings in force here."""
        told: list[str] = []
        if self.trusted:
            trust(self.project_dir)
        settings = Settings.load(self.project_dir, self.flags, told=told)
        warn(told)
        return settings

    def engine(self) -> "SchemaEmbed":
        """An engine with these settings, which tells the terminal what it does."""
        live("Starting")  # before the imports, so that a terminal answers at once
        from dbt_schema_embed.pipeline import SchemaEmbed

        return SchemaEmbed(self.settings(), progress=live)


def examples(*lines: str) -> str:
    """An epilog that shows commands as one would type them."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _path(name: str, text: str, *, folder: bool = False, **more: Any) -> Callable[[Function], Function]:
    kind = click.Path(path_type=Path, file_okay=not folder, dir_okay=folder)
    return click.option(name, type=kind, help=text, metavar="DIR" if folder else "FILE", **more)


def _assignments(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:  # noqa: ARG001
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            raise click.BadParameter(f"{value!r} is not NAME=VALUE, e.g. batch_size=64")
        found[name.strip().replace("-", "_")] = parsed(name.strip(), text.strip(), f"--set {name.strip()}")
    return found


def _project_above(said: Path) -> Path:
    """The folder that was named; of none, the nearest one from here upwards that holds a project, as dbt finds it."""
    if said != Path() or (said / "dbt_project.yml").exists():
        return said
    for up, folder in enumerate(Path.cwd().parents, 1):
        if (folder / "dbt_project.yml").exists():
            return Path(*[".."] * up)
    return said


def project_options(function: Function) -> Function:
    """Adds the options that say where the project is to those of `settings_options`."""
    inner = settings_options(function)

    @functools.wraps(inner)
    def call(
        project_dir: Path, target_path: Path | None, manifest: Path | None, catalog: Path | None, **rest: Any
    ) -> Any:  # fmt: skip
        artifacts: Artifacts = {"target_path": target_path, "manifest": manifest, "catalog": catalog}
        return inner(project_dir=_project_above(project_dir), artifacts=artifacts, **rest)

    added: Function = call
    for option in reversed((
        _path("--project-dir", "Folder of dbt_project.yml.", folder=True, default=".", show_default=True,
              envvar="DBT_PROJECT_DIR"),
        _path("--target-path", "Folder of dbt's artifacts. [default: as dbt says, or target]", folder=True),
        _path("--manifest", "The manifest. [default: manifest.json in the target path]"),
        _path("--catalog", "The catalog. [default: catalog.json beside the manifest, if it is there]"),
    )):  # fmt: skip
        added = option(added)
    return added


def settings_options(function: Function) -> Function:
    """Adds --dialect, --set and --trust; the command gets an engine and a `Place` in front."""

    @functools.wraps(function)
    def call(
        dialect: str | None, assignments: dict[str, Any], trusted: bool, project_dir: Path = Path(),
        artifacts: "Artifacts | None" = None, **rest: Any,
    ) -> Any:  # fmt: skip
        flags = assignments | ({"dialect": dialect} if dialect else {})
        place = Place(project_dir, artifacts or {}, flags, trusted)
        with place.engine() as engine:
            try:
                return function(engine, place, **rest)
            finally:
                warn(engine.warnings)

    call = click.option(
        "--trust", "trusted", is_flag=True,
        help="Use the servers, the cache and the encoder that the project's own settings name, from now on and until "
        "they change.",
    )(call)  # fmt: skip
    call = click.option(
        "--set", "assignments", multiple=True, metavar="NAME=VALUE", callback=_assignments,
        help="A setting, before those of the environment and the files; may be repeated.",
    )(call)  # fmt: skip
    return click.option("--dialect", metavar="NAME", help="SQL dialect, where the files do not say.")(call)


def selection_options(function: Function) -> Function:
    """Adds --select and --exclude, as tuples of text."""
    for name, short, text in (
        ("--exclude", "", "Source tables to leave out, likewise."),
        ("--select", "-s", "Source tables, in dbt's selection syntax: source:stripe, stripe.charges, tag:raw ..."),
    ):
        names = [part for part in (short, name) if part]
        function = click.option(
            *names, multiple=True, metavar="NODES", shell_complete=completion.selections, help=text
        )(function)
    return function


def targets_option(function: Function) -> Function:
    """Adds --targets: which models may be fed."""
    return click.option(
        "--targets",
        type=click.Choice(("auto", "all")),
        help="auto: models that could be fed next; all: every model, for a second vendor into one model.  "
        "[default: auto]",
    )(function)


def answer_options(model_help: str) -> Callable[[Function], Function]:
    """Adds --model and --column (as ``model_column``), which name one answer, and --note."""

    def add(function: Function) -> Function:
        for option in reversed((
            click.option("--model", metavar="NAME", shell_complete=completion.models, help=model_help),
            click.option("--column", "model_column", metavar="NAME", shell_complete=completion.model_columns,
                         help="The column of --model."),
            click.option("--note", metavar="TEXT", help="A note to keep with the row."),
        )):  # fmt: skip
            function = option(function)
        return function

    return add


class Selecting(click.Command):
    """A command whose --select and --exclude take several values after them, as dbt's do."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does it, with the flag repeated before each of its values."""
        spread: list[str] = []
        flag, values = "", 0
        for arg in args:
            if arg in ("-s", "--select", "--exclude"):
                flag, values = arg, 0
            elif arg.startswith("-"):
                flag = ""
            elif flag:
                values += 1
                if values > 1:
                    spread.append(flag)
            spread.append(arg)
        return super().parse_args(ctx, spread)


def output_options(*forms: str, choice: type[click.Choice[str]] = click.Choice) -> Callable[[Function], Function]:
    """Adds --format (the first one is the default), as ``form``, and --output."""

    def add(function: Function) -> Function:
        function = _path("--output", "File to write the result to. [default: stdout]", default=None)(function)
        return click.option("--format", "form", type=choice(forms), default=forms[0], show_default=True)(function)

    return add


def form_option(function: Function) -> Function:
    """Adds --format, as ``form``, to a command that changes files."""
    return click.option(
        "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True,
        help="json: the files and a diff, on stdout.",
    )(function)  # fmt: skip


def looks(output: Path | None) -> dict[str, Any]:
    """How a table looks that goes to ``output``: ``width`` and ``color`` of the terminal, or neither of a file."""
    if output is not None or not sys.stdout.isatty():
        return {"width": None, "color": False}
    return {"width": shutil.get_terminal_size().columns, "color": color_wanted(sys.stdout)}
