"""The command line in this process."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from dbt_schema_embed.cli.run import run as run_tool
from tests.embed.encoders import HashEncoder
from tests.pipeline.conftest import encoder, example, matcher, shop
from tests.shop import SameName

__all__ = ["encoder", "example", "matcher", "shop"]


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


Tool = Callable[..., Done]


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tool:
    """Runs ``dbt-schema-embed`` with some arguments."""

    def left(code: int) -> NoReturn:
        raise SystemExit(code)

    monkeypatch.setattr("os._exit", left)

    def run(*args: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["dbt-schema-embed", *map(str, args)])
        with pytest.raises(SystemExit) as stop:
            run_tool()
        out, err = capsys.readouterr()
        return Done(int(stop.value.code or 0), out, err)

    return run


@pytest.fixture
def in_shop(tool: Tool, shop: Path, encoder: HashEncoder, matcher: SameName, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """Runs it in a copy of the example, with the encoder of hashes and the matcher of equal names."""
    monkeypatch.chdir(shop)
    return tool
