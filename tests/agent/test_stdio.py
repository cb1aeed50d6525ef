"""The command as a client starts it: stdout holds the protocol and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dbt_schema_embed.cli.group import COMMANDS
from tests.cli.conftest import Tool, tool
from tests.pipeline.conftest import example, shop

__all__ = ["example", "shop", "tool"]

RUN = [sys.executable, "-c", "from dbt_schema_embed.cli import main; main()", "mcp"]


def message(method: str, number: int | None = None, **params: object) -> str:
    """A line of the protocol."""
    head = {"jsonrpc": "2.0", "method": method, "params": params}
    return json.dumps(head | ({"id": number} if number is not None else {})) + "\n"


def test_stdout_holds_nothing_but_the_protocol(shop: Path) -> None:
    pytest.importorskip("mcp", reason="the extra `mcp` is not installed")
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    lines = [
        message("initialize", 1, **hello),
        message("notifications/initialized"),
        message("tools/list", 2),
        message("tools/call", 3, name="check_mappings", arguments={}),
    ]
    process = subprocess.Popen(
        [*RUN, "--project-dir", str(shop)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    answers = {}
    for line in lines:
        process.stdin.write(line)
        process.stdin.flush()
        if '"id"' in line:
            answer = json.loads(process.stdout.readline())
            answers[answer["id"]] = answer["result"]
    rest, _ = process.communicate(timeout=120)
    assert (rest, process.returncode) == ("", 0)
    assert answers[1]["serverInfo"]["name"] == "dbt-schema-embed"
    assert len(answers[2]["tools"]) == 7
    assert answers[3]["structuredContent"]["data"]["problems"] == []


def test_without_the_extra_it_says_how_to_get_it(tool: Tool, monkeypatch: pytest.MonkeyPatch, shop: Path) -> None:
    assert "mcp" in COMMANDS
    monkeypatch.setattr("dbt_schema_embed.extras.find_spec", lambda _: None)
    done = tool("mcp", "--project-dir", shop)
    assert done.code == 4
    assert "pip install 'dbt-schema-embed[mcp]'" in done.err
