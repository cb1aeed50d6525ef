"""Answers from one process to the next: as they were where nothing changed, and worked out anew where anything did."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dbt_schema_embed import Settings
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.records import Suggestion
from tests.embed.encoders import HashEncoder

MAPPING = "schema_mappings/stripe__charges.yml"


class Asks:
    """Asks a process of its own about a project, with the encoder of hashes and the matcher."""

    def __init__(self, shop: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from dbt_schema_embed import match

        self.shop, self.cache, self.matched = shop, cache, set[str]()
        really = match.suggest

        def told(*sides: object, only: set[str], **how: object) -> tuple[Suggestion, ...]:
            self.matched |= only
            return really(*sides, only=only, **how)  # type: ignore[arg-type]

        monkeypatch.setattr(match, "suggest", told)

    def __call__(self, *select: str, top_k: int = 10, caching: bool = True) -> tuple[Suggestion, ...]:
        """The rows; ``matched`` holds the tables that were matched for them."""
        self.matched.clear()
        with SchemaEmbed(Settings(cache_dir=str(self.cache), enable_caching=caching)) as engine:
            return engine.suggest(self.shop, select=select, top_k=top_k).rows


@pytest.fixture
def ask(shop: Path, tmp_path: Path, encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch) -> Asks:
    return Asks(shop, tmp_path / "cache", monkeypatch)


def test_what_was_asked_before_is_answered_as_then(ask: Asks) -> None:
    first = ask("stripe.charges")
    assert ask.matched == {first[0].source}
    assert ask("stripe.charges") == first
    assert not ask.matched
    everything = ask()
    assert first[0].source not in ask.matched  # only what was not asked before is matched
    assert [row for row in everything if row.source == first[0].source] == list(first)
    assert everything == ask() == ask(caching=False)


def test_another_question_is_another(ask: Asks) -> None:
    assert max(len(row.candidates) for row in ask()) > 2
    assert max(len(row.candidates) for row in ask(top_k=2)) == 2
    ask(caching=False)
    assert ask.matched


def _in_manifest(shop: Path, old: str, new: str) -> None:
    path = shop / "target/manifest.json"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def _written(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


CHANGES: dict[str, Callable[[Path, Path], object]] = {
    "a name in the manifest": lambda shop, _: _in_manifest(shop, '"livemode"', '"is_live"'),
    "a description": lambda shop, _: _in_manifest(shop, '"description": ""', '"description": "The day"'),
    "a catalog that is gone": lambda shop, _: (shop / "target/catalog.json").unlink(),
    "a seed": lambda shop, _: next(shop.glob("seeds/**/*.csv")).write_text("a,b\n1,2\n"),
    "a decision about another table": lambda shop, _: _written(
        shop / "schema_mappings/shop__orders.yml",
        "version: 1\nsource: stripe.disputes\ncolumns:\n  - source_column: id\n    model: stg_stripe__disputes\n"
        "    model_column: dispute_id\n    status: accepted\n",
    ),
    "a glossary": lambda shop, _: _written(shop / "schema_mappings/glossary.yml", "ab: cd\n"),
    "what was kept, cut": lambda _, cache: [p.write_bytes(p.read_bytes()[:-9]) for p in cache.rglob("*.answers")],
    "a folder that others may write to": lambda _, cache: cache.chmod(0o777),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_noticed(what: str, ask: Asks) -> None:
    ask("stripe.charges")
    CHANGES[what](ask.shop, ask.cache)
    found = ask("stripe.charges")
    assert ask.matched
    assert found == ask("stripe.charges", caching=False)


def test_only_who_keeps_them_may_read_them(ask: Asks) -> None:
    ask()
    (file,) = ask.cache.rglob("*.answers")
    assert file.stat().st_mode & 0o077 == 0
