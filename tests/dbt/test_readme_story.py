"""The story of README.md, command for command as it stands there: from a raw table to a committed model."""

import os
import pty
import re
import select
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dbt.conftest import copy_example
from tests.dbt.driver import Dbt

pytestmark = [pytest.mark.dbt, pytest.mark.model]

STORY = re.compile(r"## From a raw table to a merged model\n(.*?)\n## ", re.DOTALL)
EDIT = "    config: {tags: [planned]}\n"
MODEL = "models/staging/stripe/stg_stripe__disputes.sql"
KEYS = b"A\rq"
RUN = "from dbt_schema_embed.cli import main; main()"


def story(root: Path) -> tuple[str, list[list[str]]]:
    """The section, and its commands."""
    found = STORY.search((root / "README.md").read_text("utf-8"))
    assert found
    (block,) = re.findall(r"```sh\n(.*?)```", found[1], re.DOTALL)
    return found[1], [shlex.split(line, comments=True) for line in block.splitlines()]


@pytest.fixture
def shop(root: Path, dbt: Dbt, tmp_path: Path) -> Path:
    """The example in a repository of its own, its raw tables loaded, as `make example` leaves it."""
    folder = tmp_path / "shop"
    copy_example(root, folder)
    profiles = folder / "profiles.yml"  # the tests' dbt stays alive: it must not keep the file of the database
    profiles.write_text(profiles.read_text("utf-8").replace("type: duckdb", "type: duckdb\n      keep_open: false"))
    dbt.must(folder, "deps")
    dbt.must(folder, "build")
    for words in (["init", "-q"], ["config", "user.name", "A"], ["config", "user.email", "a@example.com"], ["add", "."],
                  ["commit", "-qm", "The shop"]):  # fmt: skip
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def on_a_terminal(args: list[str], keys: bytes, folder: Path) -> str:
    """What the tool shows on a terminal of 80 by 24 where a person types ``keys`` once a screen stands there."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    with subprocess.Popen([sys.executable, "-c", RUN, *args], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs,
                          env=env, start_new_session=True) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        while select.select([ours], [], [], 120)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if keys and b"q quit" in shown:
                os.write(ours, keys)
                keys = b""
    os.close(ours)
    assert process.returncode == 0, shown
    return shown.decode("utf-8", "replace")


def test_at_most_six_commands_and_one_edit(root: Path, shop: Path, dbt: Dbt) -> None:
    text, commands = story(root)
    assert EDIT.strip() in text
    assert len(commands) <= 6
    assert f"{['', 'one', 'two', 'three', 'four', 'five', 'six'][len(commands)]} commands and one edit" in text.lower()
    for words in commands:
        if words[0] == "dbt":
            dbt.must(shop, *words[1:])
        elif words[:2] == ["dbt-schema-embed", "review"]:
            assert "10 accepted, 0 rejected" in on_a_terminal(words[1:], KEYS, shop)
        else:
            if words[:2] == ["git", "add"]:
                take_the_plan_off(shop)
            tool = [sys.executable, "-c", RUN] if words[0] == "dbt-schema-embed" else words[:1]
            done = subprocess.run([*tool, *words[1:]], cwd=shop, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
    committed = subprocess.run(
        ["git", "show", "--name-only", "--format="], cwd=shop, capture_output=True, text=True, check=True
    )
    assert committed.stdout.split() == [
        "models/staging/stripe/_stripe__models.yml",
        MODEL,
        "schema_mappings/mapping.schema.json",
        "schema_mappings/stripe__disputes.yml",
    ]
    assert "id as dispute_id" in (shop / MODEL).read_text("utf-8")
    assert dbt.must(shop, "ls", "--select", "stg_stripe__disputes,tag:planned", "-q").output.strip() == ""


def take_the_plan_off(shop: Path) -> None:
    """The edit: the tag `planned` of the model that has SQL now."""
    path = shop / "models/staging/stripe/_stripe__models.yml"
    head, name, rest = path.read_text("utf-8").partition("- name: stg_stripe__disputes\n")
    assert name
    mine, following, others = rest.partition("- name: stg_")
    assert EDIT in mine
    path.write_text(head + name + mine.replace(EDIT, "") + following + others, "utf-8")
