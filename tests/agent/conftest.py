"""A server on a copy of the example, and the SDK's own client."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.agent.kept import Kept
from dbt_schema_embed.pipeline import SchemaEmbed
from tests.pipeline.conftest import encoder, engine, example, matcher, shop
from tests.shop import SameName

__all__ = ["encoder", "engine", "example", "matcher", "shop"]

Talk = Callable[..., Any]


@pytest.fixture
def talk(engine: SchemaEmbed, matcher: SameName, shop: Path) -> Talk:
    """Runs ``ask(client)`` against a server of the example; its answers are doubtful."""
    pytest.importorskip("mcp", reason="the extra `mcp` is not installed")
    from mcp.client.client import Client

    from dbt_schema_embed.agent.server import build
    from dbt_schema_embed.agent.tools import Desk

    matcher.confidence = 0.5

    def run(ask: Callable[[Client], Awaitable[Any]], *, allow_write: bool = False, samples: bool = False) -> Any:
        async def session() -> Any:
            server = build(Desk(Kept(engine, shop, {}), samples), allow_write=allow_write)
            async with Client(server) as client:
                return await ask(client)

        return asyncio.run(session())

    return run


async def call(client: Any, name: str, **arguments: Any) -> dict[str, Any]:
    """What a tool answers that does not fail."""
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result.content[0].text
    found: dict[str, Any] = result.structured_content["data"]
    return found


async def refusal(client: Any, name: str, **arguments: Any) -> str:
    """What a tool says that refuses."""
    result = await client.call_tool(name, arguments)
    assert result.is_error
    return str(result.structured_content["data"]["message"])
