"""--metrics and --fail-on-alert. The matcher is the real one, the encoder knows nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Tool
from tests.embed.encoders import HashEncoder

SUGGEST = ("suggest", "--select", "stripe.charges", "--metrics", "run.json")
TINY = "alerts: {memory_share: 0.000001}\n"


@pytest.fixture
def here(tool: Tool, shop: Path, encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch) -> Tool:
    monkeypatch.chdir(shop)
    Path("dbt_schema_embed.yml").write_text("alerts: {encode_ms: 99999, search_ms: 99999, memory_share: 1}\n", "utf-8")
    return tool


def measured(name: str = "run.json") -> dict[str, Any]:
    data: dict[str, Any] = json.loads(Path(name).read_text("utf-8"))
    return data


def test_a_second_run_needs_no_vectors_and_another_question_finds_them(here: Tool) -> None:
    assert here(*SUGGEST).code == 0
    first = measured()
    assert (first["command"], first["again"], first["searches"]) == ("suggest", False, 0)
    assert first["columns"] > 0
    assert first["encoded"] > 0
    done = here(*SUGGEST, "--format", "json", "--fail-on-alert")
    second = measured()
    assert (done.code, done.err) == (0, "")
    assert (second["again"], second["encoded"], second["hit_rate"]) == (True, 0, None)
    assert second["match_seconds"] > 0
    here(*SUGGEST, "--top-k", "2")
    other = measured()
    assert (other["encoded"], other["hit_rate"]) == (0, 1)


def test_what_was_not_asked_before_is_no_second_run(here: Tool) -> None:
    here(*SUGGEST)
    here("suggest", "--select", "stripe.refunds", "--metrics", "run.json")
    assert measured()["again"] is False


def test_index_search_and_match_are_measured(here: Tool) -> None:
    assert here("index", "--metrics", "index.json").code == 0
    assert measured("index.json")["columns"] > 300
    assert here("search", "e-mail", "--metrics", "search.json").code == 0
    assert measured("search.json")["searches"] == 1
    Path("a.csv").write_text("id,name\n", "utf-8")
    assert here("match", "a.csv", "a.csv", "--metrics", "match.prom").code == 0
    assert 'dbt_schema_embed_columns{command="match"} 4.0' in Path("match.prom").read_text("utf-8")


def test_alerts_are_warnings_and_findings_where_wanted(here: Tool) -> None:
    Path("dbt_schema_embed.yml").write_text(TINY, "utf-8")
    done = here(*SUGGEST, "--fail-on-alert")
    assert done.code == 1
    assert done.err.startswith("warning: memory_share is ")
    assert done.out.startswith("stripe.charges")
    warned = here(*SUGGEST)
    assert (warned.code, warned.err.startswith("warning: memory_share is ")) == (0, True)


def test_nobody_hears_of_alerts_who_did_not_ask(here: Tool) -> None:
    Path("dbt_schema_embed.yml").write_text(TINY, "utf-8")
    done = here("suggest", "--select", "stripe.charges")
    assert (done.code, done.err) == (0, "")


def test_an_unknown_alert_is_said_before_the_work(here: Tool, encoder: HashEncoder) -> None:
    Path("dbt_schema_embed.yml").write_text("alerts: {serch_ms: 1}\n", "utf-8")
    done = here("search", "x", "--fail-on-alert")
    assert (done.code, encoder.encoded) == (2, [])
    assert done.err == "error: unknown alert 'serch_ms' in the settings\n  did you mean search_ms?\n"


def test_a_run_that_fails_is_measured(here: Tool) -> None:
    done = here("search", "x", "--table", "nope", "--metrics", "run.json")
    assert done.code == 2
    assert measured()["errors"] == 1
