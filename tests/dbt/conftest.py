"""The example project, its true mapping accepted, built by a real dbt once for all tests, on two engines."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dbt import postgres
from tests.dbt.driver import Dbt, Outcome


@dataclass(frozen=True, slots=True)
class Shop:
    """A copy of example_project on one engine, its raw tables loaded."""

    folder: Path
    dbt: Dbt
    target: str
    env: dict[str, str]

    def run(self, *args: str) -> Outcome:
        return self.dbt(self.folder, *args, "--target", self.target, **self.env)

    def must(self, *args: str) -> Outcome:
        outcome = self.run(*args)
        assert outcome.ok, outcome.output
        return outcome

    def operation(self, macro: str, *flags: str, **arguments: Any) -> Outcome:
        return self.run(*flags, "run-operation", macro, "--args", json.dumps(arguments))

    def staging(self, model: str) -> Path:
        """Where the SQL of a staging model lies: "stg_stripe__charges"."""
        vendor = model.removeprefix("stg_").partition("__")[0]
        return self.folder / "models/staging" / vendor / f"{model}.sql"


NewShop = Callable[[str], Shop]


@pytest.fixture(scope="session")
def dbt() -> Iterator[Dbt]:
    pytest.importorskip("dbt.cli.main", reason="dbt is not installed")
    with Dbt() as client:
        yield client


@pytest.fixture(scope="session")
def postgres_env() -> Iterator[dict[str, str]]:
    """A running PostgreSQL. Not below pytest's folder: that one is closed to the account the server runs as."""
    found = postgres.binaries()
    if found is None:
        pytest.skip("PostgreSQL is not installed (no initdb)")
    with tempfile.TemporaryDirectory(prefix="schema-embed-pg-") as folder, postgres.server(Path(folder), found) as env:
        yield env


@pytest.fixture(scope="session", params=["duckdb", "postgres"])
def new_shop(request: pytest.FixtureRequest, dbt: Dbt, root: Path, tmp_path_factory: pytest.TempPathFactory) -> NewShop:
    """Opens a shop by its name: a copy of the example with a database of its own, and nothing in it yet."""

    def opened(name: str) -> Shop:
        folder = tmp_path_factory.mktemp(f"{name}-{request.param}") / "shop"
        copy_example(root, folder)
        env: dict[str, str] = {}
        if request.param == "postgres":
            pytest.importorskip("dbt.adapters.postgres", reason="dbt-postgres is not installed")
            env = postgres.database(name, request.getfixturevalue("postgres_env")) | {"PGPASSWORD": "unused"}
        shop = Shop(folder, dbt, request.param, env)
        shop.must("deps")
        return shop

    return opened


@pytest.fixture(scope="session")
def shop(new_shop: NewShop) -> Shop:
    """The example with every true mapping accepted and applied, built up to what exists."""
    shop = new_shop("shop")
    accept_all(shop.folder)
    shop.must("build")
    return shop


def copy_example(root: Path, folder: Path) -> None:
    """Copy example_project without what dbt has made there; the package is taken from this repository."""
    made = shutil.ignore_patterns("target", "dbt_packages", "logs", "*.duckdb", "package-lock.yml")
    shutil.copytree(root / "example_project", folder, ignore=made)
    (folder / "packages.yml").write_text(f"packages:\n  - local: {root}\n")


def accept_all(folder: Path) -> None:
    """Write expected_mapping.json into the YAML of the sources, where `apply` puts it: meta of each column's config."""
    truth = json.loads((folder / "expected_mapping.json").read_text("utf-8"))
    for path in (folder / "models").rglob("*__sources.yml"):
        document = yaml.safe_load(path.read_text("utf-8"))
        for source in document["sources"]:
            for table in source["tables"]:
                _accept_table(table, truth.get(f"{source['name']}.{table['name']}"))
        path.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")


def _accept_table(table: dict[str, Any], truth: dict[str, Any] | None) -> None:
    if truth is None:
        return
    columns = {column["name"]: column for column in table.setdefault("columns", [])}
    for name, answer in truth["columns"].items():
        if answer is None:
            continue
        if name not in columns:
            columns[name] = {"name": name} | ({"quote": True} if name != name.lower() else {})
            table["columns"].append(columns[name])
        model_column = answer if isinstance(answer, str) else answer[0]
        mapping = {"model": truth["model"], "column": model_column}
        columns[name].setdefault("config", {}).setdefault("meta", {})["schema_embed"] = mapping
