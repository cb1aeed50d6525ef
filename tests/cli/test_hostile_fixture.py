"""One repository with everything in it that could hurt: no command touches what is outside, sends or runs anything."""

import ast
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from dbt_schema_embed.cli.group import group
from dbt_schema_embed.embed.bench import _cpu_seconds

COMMANDS = """
check
check --write-baseline
check --strict --baseline schema_embed_baseline.json --format sarif --output check.sarif
suggest
suggest --write --fail-on-change
suggest --explain raw.orders.amount
suggest --propose --top-k 3
suggest --into stg_orders --not-into stg_file --select raw.orders
suggest --changed-since HEAD
suggest --changed-since=--output=../outside/file
search 'customer amount'
search amount --limit 3 --min-score 0.1 --type int --table raw.orders
index
index --verify
report
report --output report.html
evaluate
evaluate --cases seeds --folds 2 --min-recall 0.1
accept raw.orders amount
reject raw.orders amount --model stg_orders --column amount --note no
accept --source raw.orders --min-confidence 0.1
accept raw.orders amount --model stg_orders --column amount --also --expression "{{ env_var('HOME') }}"
accept raw.orders amount --model stg_orders --column amount --expression 'amount + 1'
reopen raw.orders amount --model stg_orders --column amount --note "::error::x"
export sheet.csv
export sheet.xlsx raw.orders
import sheet.csv --dry-run
import sheet.xlsx
import seeds/sheet.csv
glossary --write
apply --dry-run
apply
apply --revert
stage raw.orders --dry-run
stage raw.orders
stage raw.orders --model stg_file
accept raw.orders amount --model blank --column amount --note "{{ env_var('HOME') }}"
stage raw.orders --model blank
stage --plan raw.orders
stage --new raw.orders --leading-commas --case-sensitive-cols --materialized view
profile
suggest --profile
review
mcp
mcp --allow-write --samples
doctor
cache stats
cache warm
cache warm --names seeds/big.csv
cache export memo.bin
cache import memo.bin
cache clear
match seeds/big.csv seeds/big.csv
match seeds/sheet.csv seeds/two.sql --left-docs seeds/docs.json --right-docs seeds/docs.json --right-table b
match seeds/sheet.csv seeds/two.sql --left-table a --right-table a --top-k 2
suggest --metrics m.json
"""
FEW = """
check --write-baseline
suggest --write
search amount
report
report --output report.html
evaluate
accept raw.orders amount
export sheet.csv
import sheet.csv
apply
stage raw.orders
stage --new raw.orders
glossary --write
review
mcp --allow-write
suggest --metrics m.json
doctor
"""
BASE = """
suggest --write
search amount
report
match seeds/big.csv seeds/big.csv
cache stats
"""
ELSEWHERE = {
    *("--project-dir", "--target-path", "--manifest", "--catalog", "--dialect", "--set"),  # what the user names
    *("--select", "--exclude", "--targets", "--format", "--fail-on-alert"),  # no place, no address
    *("--trust", "--rerank", "--rerank-model", "--allow-remote", "--on"),  # the user's word that something is sent
    *("--target", "--profiles-dir", "--row-limit"),  # for dbt, which is not there
    *("--output", "--metrics"),  # tried with some: one function writes them
    "--generated",  # a project of its own
}
"""Options that are no door of a repository's."""
SECONDS = 500
NEWLINES = "\n" * 20_001


def words_of(lines: str) -> list[list[str]]:
    """Commands as they are given to the program."""
    return [shlex.split(line) for line in lines.strip().splitlines()]


def leaves(command: click.Command, name: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    """Every command that runs, with its words: those of groups in groups, too."""
    if not isinstance(command, click.Group):
        return {name: command}
    with click.Context(command) as context:
        inner = {n: command.get_command(context, n) for n in command.list_commands(context)}
    return {words: found for n, c in inner.items() if c for words, found in leaves(c, (*name, n)).items()}


@pytest.fixture(scope="module")
def traced(root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What every command did: on the repository, then on it with each of its links."""
    top = tmp_path_factory.mktemp("hostile")
    project, outside = top / "project", top / "outside"
    shutil.copytree(root / "tests/fixtures/hostile", project)
    # lines enough for a pattern that takes quadratic time
    (project / "models/blank.sql").write_text(f"select amount{NEWLINES}from {{{{ source('raw', 'orders') }}}}\n")
    (outside / "folder/inner").mkdir(parents=True)
    for name in ("file", "sources.yml", "folder/kept.yml", "folder/manifest.json", "folder/inner/precious"):
        (outside / name).write_text("mine")
    before = {p: p.read_bytes() for p in outside.rglob("*") if p.is_file()}
    lines = (project / "links.txt").read_text().splitlines()[1:]
    links = [line.split(" -> ") for line in lines]
    every, few, base = map(words_of, (COMMANDS, FEW, BASE))
    steps: list[dict[str, Any]] = [{"links": [], "commands": every}, {"links": [], "commands": base, "base": True}]
    steps += [{"links": [link], "commands": few} for link in links]
    places = [place for place, _ in links]
    apart = [[p, t] for p, t in links if not any(p.startswith(f"{other}/") for other in places) and p != "target"]
    steps.append({"links": apart, "commands": few})
    env = {k: v for k, v in os.environ.items() if k != "HOME"}
    env |= {
        "XDG_CACHE_HOME": str(top / "cache"), "XDG_CONFIG_HOME": str(top / "config"), "TMPDIR": str(top / "tmp"),
        "PYTHONPATH": str(root), "PATH": "/nowhere", "HOME": str(outside), "EMBEDDING_CHROMA_TOKEN": "mine",
    }  # fmt: skip
    (top / "tmp").mkdir()
    command = [sys.executable, str(root / "tests/cli/traced.py"), str(project), str(outside)]
    done = subprocess.run(
        command, input=json.dumps(steps), env=env, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert {p: p.read_bytes() for p in outside.rglob("*") if p.is_file()} == before
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_no_command_and_no_option_of_the_program_is_forgotten() -> None:
    tried = words_of(COMMANDS)
    for words, command in leaves(group).items():
        if words == ("bench",):  # takes a minute: see the test below
            continue
        mine = [line for line in tried if tuple(line[: len(words)]) == words]
        assert mine, f"add {' '.join(words)} to COMMANDS"
        told = {word.partition("=")[0] for line in mine for word in line}
        options = {o.opts[-1]: o for o in command.params if isinstance(o, click.Option)}
        missing = {n for n, o in options.items() if n not in ELSEWHERE and not told & {*o.opts, *o.secondary_opts}}
        assert missing == set(), f"add options to a line of {' '.join(words)} in COMMANDS"


def test_no_process_that_is_started_imports_from_the_current_folder(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python takes modules from there unless it is told -P."""
    started = 0
    for path in (root / "dbt_schema_embed").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.List) and node.elts and ast.unparse(node.elts[0]) == "sys.executable":
                assert ast.unparse(node.elts[1]) == "'-P'", f"{path.name}, line {node.lineno}"
                started += 1
    assert started >= 4
    for name in ("numpy", "dbt_schema_embed"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    _cpu_seconds("import numpy, dbt_schema_embed")
    assert not (tmp_path / "ran").exists()


def test_nothing_outside_is_touched_nothing_is_sent_and_nothing_is_run(traced: list[dict[str, Any]]) -> None:
    found = [(d["links"], d["command"], d["found"]) for d in traced if d["found"]]
    assert found == []


def test_every_command_ends_with_a_word_and_no_bug(traced: list[dict[str, Any]]) -> None:
    assert {d["code"] for d in traced} <= {0, 1, 2, 3, 4}
    bad = [d for d in traced if "Traceback" in d["words"] or "this is a bug" in d["words"]]
    assert [(d["links"], d["command"], d["words"]) for d in bad] == []


def test_the_tracer_sees_what_it_should(traced: list[dict[str, Any]], tmp_path: Path, root: Path) -> None:
    """So that the tests above prove something: most commands do their work here, and a planted deed is found."""
    pytest.importorskip("mcp", reason="the extra `mcp` is not installed")
    worked = {" ".join(d["command"]) for d in traced if not d["links"] and d["code"] == 0}
    assert worked >= {
        "suggest --write", "search customer amount", "search amount", "index", "report", "cache warm",
        "export sheet.csv", "import sheet.csv --dry-run", "stage raw.orders --model blank", "glossary --write",
        "review", "mcp", "mcp --allow-write --samples",
        "accept raw.orders amount --model stg_orders --column amount --expression amount + 1",
    }  # fmt: skip
    code = (
        "import sys, os, subprocess; sys.argv = ['x', '.', '.']\n"
        "from pathlib import Path\nfrom tests.cli.traced import Tracer\n"
        "tracer = Tracer(Path('p'), Path('o')); tracer.on = True\n"
        "open('o/a', 'w').close(); os.remove('o/a'); os.listdir('p/link'); open('q', 'w').close()\n"
        "subprocess.run(['true'], check=False)\ntracer.on = False\nprint(len(tracer.found))"
    )
    (tmp_path / "p").mkdir()
    (tmp_path / "o").mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "p/link").symlink_to(tmp_path / "o")
    env = os.environ | {"PYTHONPATH": str(root), "XDG_CACHE_HOME": str(tmp_path / "c"), "TMPDIR": str(tmp_path / "tmp")}
    seen = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert int(seen.stdout) >= 5, seen.stderr
