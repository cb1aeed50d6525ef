"""suggest --changed-since: the rows that a branch is about."""

import os
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


PROGRAM = """#!/bin/sh
echo "$0 $@" >>{ran}
"""


@pytest.mark.skipif(os.name == "nt", reason="the programs are shell scripts")
@pytest.mark.parametrize("bare", [False, True])
def test_nothing_that_the_repository_names_is_run(
    engine: SchemaEmbed, repository: Path, tmp_path: Path, bare: bool
) -> None:
    """Also not where git takes a folder that a clone brings for a repository of its own."""
    ran, program = tmp_path / "ran", tmp_path / "program"
    program.write_text(PROGRAM.format(ran=ran))
    program.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "reference-transaction", "post-checkout"):
        (hooks / name).symlink_to(program)
    hostile = {
        "core.fsmonitor": program, "core.hooksPath": hooks, "core.pager": program, "core.sshCommand": program,
        "filter.x.clean": program, "filter.x.process": program, "filter.x.required": "true", "diff.external": program,
        "diff.x.textconv": program, "diff.x.command": program, "log.showSignature": "true", "gpg.program": program,
        "protocol.ext.allow": "always", "remote.origin.url": f"ext::{program}", "remote.origin.promisor": "true",
        "extensions.partialClone": "origin", "core.repositoryFormatVersion": "1",
    }  # fmt: skip
    for name, value in hostile.items():
        git(repository, "config", name, str(value))
    (repository / ".git/info/attributes").write_text("* filter=x diff=x\n")
    if bare:  # what git finds in the folder itself, before it looks for .git
        for path in (repository / ".git").iterdir():
            path.rename(repository / path.name)
        (repository / ".git").rmdir()
        with (repository / "config").open("a") as file:
            file.write(f"[core]\nbare = false\nworktree = {repository}\n")
    ran.unlink(missing_ok=True)
    for path in (*repository.glob("*.yml"), *repository.glob("models/**/*.sql")):
        path.write_bytes(path.read_bytes() + b"\n")
    subprocess.run(["git", "status"], cwd=repository, check=False, capture_output=True)
    assert ran.exists()  # git itself does run them
    ran.unlink()
    if bare:
        with pytest.raises(ConfigError, match="bare"):
            rows(engine, repository)
    else:
        assert len(rows(engine, repository)) > 10
        with pytest.raises(ConfigError, match="git rev-parse"):  # an object that is missing is not fetched
            rows(engine, repository, "0" * 39 + "1")
    engine.accept("stripe.charges", ["amount"], repository)  # asks git who decides
    assert not ran.exists()


def test_line_ends_of_another_system_and_links_are_no_change(engine: SchemaEmbed, repository: Path) -> None:
    model = repository / "models" / "staging" / "stripe" / "stg_stripe__charges.sql"
    model.write_bytes(model.read_bytes().replace(b"\n", b"\r\n"))
    assert rows(engine, repository) == []
    model.rename(model.with_name("other.txt"))
    model.symlink_to("other.txt")
    assert rows(engine, repository) != []
    git(repository, "add", "-A")
    git(repository, "commit", "-m", "a link")
    assert rows(engine, repository, "HEAD") == []
    model.unlink()
    assert rows(engine, repository, "HEAD") != []


def test_files_that_git_ignores_do_not_count(engine: SchemaEmbed, repository: Path) -> None:
    source = "models/staging/shopkeep/_shopkeep__sources.yml"
    git(repository, "rm", "-q", "--cached", source)
    git(repository, "commit", "-m", "not ours")
    assert {name.partition(".")[0] for name, _ in rows(engine, repository, "HEAD")} == {"shopkeep"}
    (repository / ".git/info/exclude").write_text("_shopkeep__sources.yml\n")
    assert rows(engine, repository, "HEAD") == []
