"""Write docs/reference.md from the code: commands, settings, macros, file formats, rules of check, exit codes.

python docs/generate.py            write it
python docs/generate.py --check    exit with 1 if it is out of date
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields
from inspect import cleandoc, getsource
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click
import yaml

from dbt_schema_embed import errors, settings
from dbt_schema_embed.check.rules import RULES
from dbt_schema_embed.cli.group import group
from dbt_schema_embed.write.mapping import schema_text

HERE = Path(__file__).resolve().parent
TARGET = HERE / "reference.md"
HEAD = """# Reference

Made from the code by `python docs/generate.py`; a test keeps it up to date.

- [Commands](#commands)
- [Settings](#settings)
- [Macros](#macros)
- [Mapping files](#mapping-files)
- [JSON output](#json-output)
- [Rules of check](#rules-of-check)
- [Exit codes](#exit-codes)
"""
JSON_OUTPUT = """## JSON output

Every JSON result has a `schema_version`, now 1. Fields may be added to a version; none changes or goes.

`suggest --format json` and `match --format json`: one row for every column of every selected source table, or
several where people let a column feed several model columns. `unfed` of `suggest`: planned model columns that nothing
feeds, each with `model`, `model_column` and `required` (it must not be empty).

| field | meaning |
| --- | --- |
| `source`, `source_column` | unique_id of the source table (`match`: the table's name), and the column |
| `model`, `model_column` | what it feeds; both null: see `answer` |
| `answer` | `match`, `nothing` (it feeds none) or `undecided` (it may, and a person should look) |
| `confidence` | how likely it is right, 0 to 1: "certain" from {certain}, "likely" from {likely}, else "doubtful" |
| `status` | `suggested`, `existing` (SQL does it already), `accepted` or `rejected` (a person's decision) |
| `reason` | why, in one line |
| `evidence` | signal -> number from 0 to 1, text or null; first `name`, `habit`, `table`, `type`, `values` |
| `candidates` | best first: `model`, `model_column`, `confidence`, and `fed_by` where something feeds it today |
| `fed_by`, `proposed_name`, `note` | only where there is something to say |

`suggest --format json --candidates 0`: the answers alone, on one line. `tables` has a list for each column of each
source table; `fields` names what stands in it.

`accept`, `reject`, `reopen`, `apply` and `stage` with `--format json`: `files` that changed (none in a dry run), and
the `diff`. `suggest --explain COLUMN --format json`: `source_column` and `text`.

`search --format json`: `hits`, best first, each with `relation`, `column`, `score` (cosine), `type`, `description`,
`used_in` (model columns it feeds) and `fed_by` (source columns that feed it).
"""
SETTINGS = """## Settings

From the command line (`--set NAME=VALUE`), then the environment, then one file: `[tool.dbt-schema-embed]` in
pyproject.toml, `dbt_schema_embed.yml`, or `vars: schema_embed:` in dbt_project.yml. An unknown name is an error.

"""
PARTS = "The parts they are made of. A macro of the same name with your package's prefix replaces one (`dispatch`).\n"
SCHEMA = "The JSON Schema lies beside the mapping files; editors that read the comment in their first line use it.\n"
MEANT = {"None": "unset", "False": "false", "True": "true"}
COMMON = {"project_dir", "target_path", "manifest", "catalog", "dialect", "assignments", "trusted"}
"""Options that are explained once."""


def reference(*, commands: bool = True) -> str:
    """The whole text; without ``commands`` for the site, where each has a page."""
    from dbt_schema_embed.records import CERTAIN, LIKELY

    head = HEAD if commands else re.sub(r"- \[Commands\].*\n", "", HEAD)
    parts = [head, *(_commands() if commands else ()), _settings(), _macros(), _mapping_file()]
    parts += [JSON_OUTPUT.replace("{certain}", str(CERTAIN)).replace("{likely}", str(LIKELY)), _rules(), _exit_codes()]
    return "\n".join(parts)


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    top = click.Context(group, info_name="dbt-schema-embed", **group.context_settings)  # click keeps the help option
    check = group.get_command(top, "check")
    common = [p for p in check.params if isinstance(p, click.Option) and p.name in COMMON] if check else []
    yield "Commands that read a project take these too; those that do not, the last three of them.\n"
    yield _options(common, top)
    for name in group.list_commands(top):
        command = group.get_command(top, name)
        if command is not None:
            yield from _command(command, click.Context(command, info_name=name, parent=top))


def command_pages() -> dict[str, str]:
    """A page for each command: name -> text. A group's commands stand on its page."""
    _, sentence, table, *parts = _commands()
    pages: dict[str, str] = {}
    for part in parts:
        name = part.removeprefix("### ").split()[0]
        pages[name] = pages.get(name, "") + part.replace("###", "##" if name in pages else "#", 1) + "\n"
    shared = f"## Options that commands share\n\n{sentence}\n{table}"
    return {name: text + shared for name, text in pages.items()}


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"### {context.command_path.partition(' ')[2]}\n", f"    {usage}\n", cleandoc(command.help or "") + "\n"]
    options = [p for p in command.params if isinstance(p, click.Option) and p.name not in COMMON]
    if options:
        lines.append(_options(options, context))
    if command.epilog:
        examples = cleandoc(command.epilog.replace("\b", "")).splitlines()[1:]
        lines.append("\n".join(f"    {line.strip()}" for line in examples) + "\n")
    yield "\n".join(lines)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _command(below, click.Context(below, info_name=name, parent=context))


def _options(options: Sequence[click.Option], context: click.Context) -> str:
    return _table(("option", "meaning"), [(_flags(option, context), _help(option, context)) for option in options])


def _flags(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    return names if option.is_flag else f"{names} {_escaped(option.make_metavar(context))}"


def _help(option: click.Option, context: click.Context) -> str:
    extra = option.get_help_extra(context)
    said = [option.help or ""]
    if "default" in extra:
        said.append(f"[default: {extra['default']}]")
    if extra.get("envvars"):
        said.append(f"[variable: {', '.join(extra['envvars'])}]")
    return _escaped("  ".join(part for part in said if part))


def _settings() -> str:
    source = getsource(settings.Settings)
    variables = {name: variable for variable, name in settings.ENV_NAMES.items()}
    rows = []
    for field in fields(settings.Settings):
        line = re.search(rf"^    {field.name}: ([^=\n]+?) = [^\n#]*?(?:  # ([^\n]*))?$", source, re.MULTILINE)
        if line is None:
            raise SystemExit(f"the setting {field.name} stands in Settings in a way this script does not read")
        default = "" if field.default is None or not isinstance(field.default, str | int | bool) else field.default
        variable = f"`{variables[field.name]}`" if field.name in variables else ""
        shown = f"`{json.dumps(default)}`" if default != "" else ""
        said = re.sub(r"\b(None|False|True)\b", lambda word: MEANT[str(word[0])], line[2] or "")
        choices = get_args(get_type_hints(settings.Settings)[field.name]) if isinstance(field.default, str) else ()
        if choices:
            said += ": " + ", ".join(f"`{choice}`" for choice in choices)
        rows.append((f"`{field.name}`", shown, variable, _escaped(said)))
    return SETTINGS + _table(("setting", "default", "variable", "meaning"), rows)


def _macros() -> str:
    described = yaml.safe_load((HERE.parent / "macros" / "macros.yml").read_text("utf-8"))["macros"]
    calls = [m for m in described if m.get("arguments") or m["name"].endswith("on_run_end")]
    parts = [m for m in described if m not in calls]
    lines = ["## Macros\n"]
    for macro in calls:
        lines.append(f"### {macro['name']}\n\n{_escaped(' '.join(macro['description'].split()))}\n")
        rows = [(f"`{a['name']}`", a.get("type", ""), _escaped(" ".join(a.get("description", "").split())))
                for a in macro.get("arguments", [])]  # fmt: skip
        if rows:
            lines.append(_table(("argument", "type", "meaning"), rows))
    lines.append(PARTS)
    lines.append(_table(("macro", "what it gives"), [(f"`{m['name']}`", _escaped(m["description"])) for m in parts]))
    return "\n".join(lines)


def _mapping_file() -> str:
    schema = json.loads(schema_text())
    lines = ["## Mapping files\n", f"`schema_mappings/<source>__<table>.yml`. {schema['description']}\n"]
    lines.append(_properties(schema))
    lines.append("A row of `columns`:\n")
    lines.append(_properties(schema["definitions"]["row"]))
    lines.append(SCHEMA)
    return "\n".join(lines)


def _properties(schema: dict[str, Any]) -> str:
    needed = set(schema.get("required", ()))
    rows = []
    for name, value in schema["properties"].items():
        kinds = value.get("type") or value.get("enum") or [value["const"]]
        kind = kinds if isinstance(kinds, str) else " or ".join(map(str, kinds))
        required = " (required)" if name in needed else ""
        rows.append((f"`{name}`{required}", kind, _escaped(value.get("description", ""))))
    return _table(("key", "type", "meaning"), rows)


def _rules() -> str:
    rows = [(f"`{rule.code}`", rule.severity, _escaped(" ".join((rule.find.__doc__ or "").split()))) for rule in RULES]
    return (
        "## Rules of check\n\nThe setting `severity` changes what a rule counts as: `error`, `warning` or `off`.\n\n"
        + _table(("rule", "counts as", "what it finds"), rows)
    )


def _exit_codes() -> str:
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.SchemaEmbedError)]
    meanings = {
        0: "fine",
        1: "findings, or work that could not be finished",
        2: "usage, settings or selection",
        3: "artifacts missing or unreadable",
        4: "an optional part is not installed",
        130: "stopped by Ctrl-C; every file is whole",
        141: "whoever read the output has gone",
    }
    named = {code: ", ".join(f"`{c.__name__}`" for c in classes if c.exit_code == code) for code in meanings}
    return "## Exit codes\n\n" + _table(
        ("code", "meaning", "from Python"), [(str(code), said, named[code]) for code, said in meanings.items()]
    )


def _escaped(text: str) -> str:
    """Text for a cell of a table: angle brackets outside of code would be markup."""
    plain = text.replace("|", "\\|")
    return re.sub(r"<(?=[a-z_])(?![^`]*`(?:[^`]*`[^`]*`)*[^`]*$)", "&lt;", plain)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell or ' ' for cell in line)} |\n" for line in lines)


def main() -> int:
    """Write or check; the exit code."""
    text = reference()
    if "--check" in sys.argv[1:]:
        same = TARGET.is_file() and TARGET.read_text("utf-8") == text
        if not same:
            sys.stderr.write("docs/reference.md is out of date: python docs/generate.py\n")
        return int(not same)
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
