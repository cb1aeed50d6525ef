"""Answers from one process to the next: found again where nothing changed, and worked out anew where anything did."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dbt_schema_embed import Settings
from dbt_schema_embed.agent.kept import Kept
from dbt_schema_embed.decide.proposing import Proposal
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.records import Suggestion
from tests.agent.conftest import encoder, engine, example, matcher, shop
from tests.cli.conftest import Tool, in_shop, tool
from tests.embed.encoders import HashEncoder
from tests.shop import SameName

__all__ = ["encoder", "engine", "example", "in_shop", "matcher", "shop", "tool"]

Again = Callable[[], tuple[bool, tuple[Suggestion, ...]]]
MAPPING = "schema_mappings/stripe__charges.yml"


@pytest.fixture(autouse=True)
def old_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is too young."""
    monkeypatch.setattr("dbt_schema_embed.agent.remembered.TICK_SECONDS", -600)


@pytest.fixture
def again(shop: Path, cache: Path, matcher: SameName, encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch) -> Again:
    """Whether another process works the answers out, and its rows; they are about the same columns either way."""
    first = answers(shop, cache)

    def ask() -> tuple[bool, tuple[Suggestion, ...]]:
        asked: list[bool] = []
        suggest = SchemaEmbed.suggest
        with monkeypatch.context() as patched:
            patched.setattr(SchemaEmbed, "suggest", lambda *a, **k: (asked.append(True), suggest(*a, **k))[1])
            found = answers(shop, cache)
        assert [row.source_column for row in found] == [row.source_column for row in first]
        return bool(asked), found

    return ask


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Our folder of the user's."""
    return tmp_path / "cache"


def answers(shop: Path, cache: Path, **settings: bool) -> tuple[Suggestion, ...]:
    """The rows that a process finds."""
    with SchemaEmbed(Settings(cache_dir=str(cache), **settings)) as one:
        return Kept(one, shop, {}).answers().rows


def test_another_process_finds_them(again: Again, shop: Path, cache: Path) -> None:
    worked_out, rows = again()
    assert not worked_out
    assert rows == answers(shop, cache, use_gpu=False)  # other settings: worked out again


CHANGES: dict[str, Callable[[Path, Path], object]] = {
    "a manifest": lambda shop, _: os.utime(shop / "target/manifest.json", (1, 1)),
    "a catalog that is gone": lambda shop, _: (shop / "target/catalog.json").unlink(),
    "a seed": lambda shop, _: os.utime(next(shop.glob("seeds/**/*.csv")), (1, 1)),
    "a mapping file": lambda shop, _: (
        (shop / "schema_mappings").mkdir(), (shop / MAPPING).write_text("version: 1\nsource: stripe.charges\n")
    ),
    "a glossary": lambda shop, _: (
        (shop / "schema_mappings").mkdir(), (shop / "schema_mappings/glossary.yml").write_text("ab: cd\n")
    ),
    "what was remembered, cut": lambda _, cache: os.truncate(next((cache / "answers").iterdir()), 1000),
    "a folder that others may write to": lambda _, cache: cache.chmod(0o777),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_noticed(what: str, again: Again, shop: Path, cache: Path) -> None:
    CHANGES[what](shop, cache)
    assert again()[0]


def test_young_files_and_no_cache_are_not_remembered(
    shop: Path, cache: Path, matcher: SameName, encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(shop, cache, enable_caching=False)
    assert not (cache / "answers").exists()
    monkeypatch.setattr("dbt_schema_embed.agent.remembered.TICK_SECONDS", 600)
    answers(shop, cache)
    assert not (cache / "answers").exists()


@pytest.mark.parametrize(
    ("args", "left"),
    [([], True), (["--format", "json"], True), (["--select", "source:stripe"], False), (["--propose"], False),
     (["--candidates", "0"], False), (["--write"], False)],
)  # fmt: skip
def test_a_plain_suggest_leaves_its_answers(
    args: list[str], left: bool, in_shop: Tool, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert in_shop("suggest", *args).code == 0
    worked_out: list[bool] = []
    monkeypatch.setattr("dbt_schema_embed.agent.kept.Kept.leave", lambda *_: worked_out.append(True))
    with SchemaEmbed(Settings.load(shop)) as one:
        rows = Kept(one, Path(), {}).answers().rows
    assert {row.source_column for row in rows} >= {"livemode", "cust_eml"}
    assert worked_out == ([] if left else [True])


def test_no_sample_value_is_remembered(again: Again, cache: Path) -> None:
    (file,) = (cache / "answers").iterdir()
    assert "ch_" not in file.read_text("utf-8")
    assert file.stat().st_mode & 0o077 == 0


def test_proposals_are_left_to_the_next_process(again: Again, shop: Path, cache: Path) -> None:
    with SchemaEmbed(Settings(cache_dir=str(cache))) as one:
        kept = Kept(one, shop, {})
        kept.propose(Proposal("stripe.charges.livemode", None, "a flag"))
        kept.close()
    worked_out, rows = again()
    assert not worked_out
    assert [row.decided_by for row in rows if row.decided_by] == ["agent"]
