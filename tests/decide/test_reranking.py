"""A language model behind an address: asked once a table, replayed, and not believed everything."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from dbt_schema_embed.decide.reranking import Reranker
from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.pipeline import SchemaEmbed, suggestions_text
from tests.shop import SameName

CHARGES = ["stripe.charges"]


@dataclass
class Stub:
    """A server that answers with what ``said`` makes of a table; keeps what it was asked."""

    url: str = ""
    said: Callable[[dict[str, Any]], Any] = lambda _: {}
    asked: list[dict[str, Any]] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None

    def answer(self, body: bytes) -> bytes:
        """A chat completion."""
        table = json.loads(json.loads(body)["messages"][1]["content"])
        self.asked.append(table)
        said = self.said(table)
        text = said if isinstance(said, str) else f"Sure! ```json\n{json.dumps({'answers': said})}\n```"
        return json.dumps({"choices": [{"message": {"content": text}}]}).encode()


@pytest.fixture
def stub(matcher: SameName) -> Iterator[Stub]:
    matcher.confidence = 0.5
    made = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = made.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    made.url, made.stop = f"http://127.0.0.1:{server.server_port}/v1", stop
    yield made
    stop()


def first(table: dict[str, Any]) -> dict[str, int]:
    """The first candidate for each column, nothing for the last one."""
    names = [column["name"] for column in table["columns"]]
    return dict.fromkeys(names[:-1], 1) | {names[-1]: 0}


def test_a_second_run_asks_nothing_and_says_the_same(engine: SchemaEmbed, shop: Path, stub: Stub) -> None:
    stub.said = first
    server = Reranker(stub.url, "tiny")
    found = engine.suggest(shop, select=CHARGES, rerank=server, write=True)
    (table,) = stub.asked
    asked = {column["name"] for column in table["columns"]}
    told = {row.source_column: row for row in found.rows if row.decided_by}
    assert set(told) == asked
    assert {row.reason for row in told.values()} == {"model's word (tiny)"}
    assert sum(row.model is None for row in told.values()) == 1
    text = (shop / "schema_mappings" / "stripe__charges.yml").read_text("utf-8")
    assert text.count("decided_by: tiny") == len(asked)
    stub.stop()
    again = engine.suggest(shop, select=CHARGES, rerank=server, write=True)
    assert suggestions_text(again, "json") == suggestions_text(found, "json")
    assert (again.written, engine.warnings) == ((), [])
    assert (shop / "schema_mappings" / "stripe__charges.yml").read_text("utf-8") == text


def test_no_value_is_sent(engine: SchemaEmbed, shop: Path, stub: Stub) -> None:
    engine.suggest(shop, rerank=Reranker(stub.url, "tiny"))
    keys = {key for table in stub.asked for column in table["columns"] for key in column}
    assert keys == {"name", "type", "about", "candidates"}


@pytest.mark.parametrize(
    "said",
    [
        lambda table: {column["name"]: 99 for column in table["columns"]},
        lambda table: {column["name"]: True for column in table["columns"]},
        lambda table: {column["name"]: "1" for column in table["columns"]},
        lambda _: {"no_such_column": 1},
    ],
    ids=["no candidate", "no number", "text", "no column"],
)
def test_lies_change_nothing(engine: SchemaEmbed, shop: Path, stub: Stub, said: Callable[..., Any]) -> None:
    stub.said = said
    assert engine.suggest(shop, rerank=Reranker(stub.url, "tiny")).rows == engine.suggest(shop).rows


@pytest.mark.parametrize("said", ["I cannot do that", '{"answers": [1]}', '{"answers": ' * 50])
def test_what_is_no_answer_is_told_and_not_asked_again(engine: SchemaEmbed, shop: Path, stub: Stub, said: str) -> None:
    stub.said = lambda _: said
    engine.suggest(shop, rerank=Reranker(stub.url, "tiny"))
    assert len(stub.asked) == 1
    assert "answered something else than was asked for" in engine.warnings[0]


def test_a_silent_server_is_given_up(
    engine: SchemaEmbed, shop: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbt_schema_embed.decide.reranking.TIMEOUT", 0.2)
    stub.said = lambda _: time.sleep(0.6) or {}
    engine.suggest(shop, rerank=Reranker(stub.url, "tiny"))
    assert len(stub.asked) == 1
    assert "did not answer within 0.2 s" in engine.warnings[0]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://llm.example.com/v1", "to llm.example.com, another machine\n  say --allow-remote"),
        ("http://10.0.0.7/v1", "to 10.0.0.7, another machine"),
        ("file:///etc/passwd", "is no address"),
        ("localhost:11434", "is no address"),
    ],
)
def test_another_machine_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Reranker(url, "tiny").check()
    assert message in str(caught.value)
    if "another" in message:
        Reranker(url, "tiny", allow_remote=True).check()
