"""suggest --changed-since: the rows that a branch is about."""

import subprocess
from pathlib import Path

import pytest

from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.pipeline import SchemaEmbed
from tests.shop import SameName


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(engine: SchemaEmbed, shop: Path) -> Path:
    """The example with mapping files of one source, committed on main; then a branch."""
    engine.suggest(shop, select=["source:stripe"], write=True)
    git(shop, "init", "-b", "main")
    git(shop, "add", "-A")
    git(shop, "commit", "-m", "all")
    git(shop, "checkout", "-b", "work")
    return shop


def rows(engine: SchemaEmbed, shop: Path, ref: str = "main") -> list[tuple[str, str]]:
    found = engine.suggest(shop, changed_since=ref).rows
    return [(row.source.partition("shop.")[2], row.source_column) for row in found]


def test_a_branch_that_changes_nothing_has_no_row(engine: SchemaEmbed, repository: Path) -> None:
    assert rows(engine, repository) == []


def test_rows_whose_entry_changed_committed_or_not(engine: SchemaEmbed, repository: Path) -> None:
    engine.accept("stripe.charges", ["amount"], repository)
    assert rows(engine, repository) == [("stripe.charges", "amount")]
    git(repository, "commit", "-am", "accepted")
    engine.accept("stripe.refunds", ["amount"], repository)
    assert rows(engine, repository) == [("stripe.charges", "amount"), ("stripe.refunds", "amount")]
    git(repository, "checkout", "-q", "main", "--", "schema_mappings/stripe__refunds.yml")
    assert rows(engine, repository) == [("stripe.charges", "amount")]
    assert rows(engine, repository, "HEAD") == []


def test_rows_of_models_that_changed_and_of_sources_without_a_mapping(
    engine: SchemaEmbed, repository: Path, matcher: SameName
) -> None:
    model = repository / "models" / "staging" / "stripe" / "stg_stripe__charges.sql"
    model.write_text(model.read_text("utf-8") + "-- more\n", "utf-8")
    every = engine.suggest(repository).rows
    fed = {(r.source, r.source_column) for r in every if (r.model or "").endswith(".stg_stripe__charges")}
    changed = engine.suggest(repository, changed_since="main").rows
    assert {(r.source, r.source_column) for r in changed} == fed != set()
    git(repository, "checkout", "-q", "main", "--", "models")
    source = repository / "models" / "staging" / "shopkeep" / "_shopkeep__sources.yml"
    source.write_text(source.read_text("utf-8") + "# more\n", "utf-8")
    sources = {name.partition(".")[0] for name, _ in rows(engine, repository)}
    assert sources == {"shopkeep"}


@pytest.mark.parametrize("ref", ["nope", "--output=x", ""])
def test_a_commit_that_is_not_there(engine: SchemaEmbed, repository: Path, ref: str) -> None:
    with pytest.raises(ConfigError, match="git rev-parse: it knows no such commit"):
        rows(engine, repository, ref)
    assert not (repository / "x").exists()
