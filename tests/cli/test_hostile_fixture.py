"""One repository with everything in it that could hurt: no command touches what is outside, sends or runs anything."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMMANDS = """
check
check --write-baseline
suggest
suggest --write
suggest --explain raw.orders.amount
search 'customer amount'
index
index --verify
report
report --output report.html
evaluate
accept raw.orders amount
reject raw.orders amount
accept --min-confidence 0.1
reopen raw.orders amount
glossary --write
apply
apply --revert
stage raw.orders
stage raw.orders --model stg_file
profile
suggest --profile
doctor
cache stats
cache warm
cache export memo.bin
cache import memo.bin
match seeds/big.csv seeds/big.csv
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
apply
stage raw.orders
suggest --metrics m.json
doctor
"""
SECONDS = 240
NEWLINES = "\n" * 20_001


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
    every, few = ([shlex.split(line) for line in lines.strip().splitlines()] for lines in (COMMANDS, FEW))
    steps = [{"links": [], "commands": every}, *({"links": [link], "commands": few} for link in links)]
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


def test_nothing_outside_is_touched_nothing_is_sent_and_nothing_is_run(traced: list[dict[str, Any]]) -> None:
    found = [(d["links"], d["command"], d["found"]) for d in traced if d["found"]]
    assert found == []


def test_every_command_ends_with_a_word_and_no_bug(traced: list[dict[str, Any]]) -> None:
    assert {d["code"] for d in traced} <= {0, 1, 2, 3}
    bad = [d for d in traced if "Traceback" in d["words"] or "this is a bug" in d["words"]]
    assert [(d["links"], d["command"], d["words"]) for d in bad] == []


def test_the_tracer_sees_what_it_should(traced: list[dict[str, Any]], tmp_path: Path, root: Path) -> None:
    """So that the tests above prove something: most commands do their work here, and a planted deed is found."""
    worked = {" ".join(d["command"]) for d in traced if not d["links"] and d["code"] == 0}
    assert {"suggest --write", "search customer amount", "index", "report", "cache warm"} <= worked
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
