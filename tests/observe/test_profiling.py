"""profile: how dbt is called, what is kept, what a failing table costs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.errors import ConfigError, SchemaEmbedError
from dbt_schema_embed.observe.profiling import GIVE_UP
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.settings import Settings
from tests.embed.encoders import HashEncoder
from tests.read.test_profiles import COLUMN, TABLE
from tests.shop import SameName

STRIPE = [f"source.shop.stripe.{name}" for name in ("charges", "customers", "disputes", "invoices", "payouts",
                                                    "refunds", "subscriptions")]  # fmt: skip

DBT = """#!{python}
import json, os, sys
here = {here!r}
arguments = json.loads(sys.argv[sys.argv.index("--args") + 1])
with open(os.path.join(here, "calls.jsonl"), "a") as calls:
    env = {{k: v for k, v in os.environ.items() if k.startswith("DBT_")}}
    calls.write(json.dumps({{"argv": sys.argv[1:], "cwd": os.getcwd(), "arguments": arguments, "env": env}}) + "\\n")
plan = json.load(open(os.path.join(here, "plan.json")))
def log(msg, level="info"):
    print(json.dumps({{"info": {{"msg": msg, "level": level}}}}))
def event(kind, table, **facts):
    text = json.dumps({{"schema_version": 1, "event": kind, "table": table, **facts}}).replace("<", "\\\\u003c")
    log("<schema_embed>" + text + "</schema_embed>")
print("not json at all")
if plan.get("dies"):
    log(plan["dies"], "error")
    sys.exit(2)
for table in arguments["select"]:
    event("start", table)
    if table in plan.get("fails", []):
        log(plan.get("said", "Database Error in macro\\n  relation is locked\\n  > in macro x"), "error")
        sys.exit(1)
    if table in plan.get("missing", []):
        event("missing", table)
        continue
    facts = dict(plan["table"])
    if not arguments["include_values"]:
        facts["columns"] = [c | {{"top_values": []}} for c in facts["columns"]]
    event("profile", table, **facts)
"""


class FakeDbt:
    """A ``dbt`` on PATH that does as told."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.plan: dict[str, Any] = {"table": TABLE}
        (folder / "dbt").write_text(DBT.format(python=sys.executable, here=str(folder)))
        (folder / "dbt").chmod(0o755)
        self.tell()

    def tell(self, **plan: Any) -> None:
        """What the next calls do."""
        self.plan |= plan
        (self.folder / "plan.json").write_text(json.dumps(self.plan))

    def calls(self) -> list[dict[str, Any]]:
        """How it was called."""
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def dbt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDbt:
    fake = FakeDbt(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(fake.folder), prepend=os.pathsep)
    return fake


def kept(shop: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((shop / "target" / "schema_embed" / "profile.json").read_text())
    tables: dict[str, Any] = data["tables"]
    return tables


def test_dbt_is_called_as_people_call_it(shop: Path, dbt: FakeDbt) -> None:
    found = SchemaEmbed().profile(
        shop, select=["stripe"], exclude=["stripe.charges"], target="prod", profiles_dir=shop, row_limit=5
    )
    assert list(found.tables) == STRIPE[1:]
    assert found.path == str(shop / "target" / "schema_embed" / "profile.json")
    (call,) = dbt.calls()
    assert call["arguments"] == {"select": STRIPE[1:], "include_values": False, "row_limit": 5}
    assert call["argv"][:4] == ["--log-format", "json", "run-operation", "schema_embed_profile"]
    assert call["argv"][6:] == ["--project-dir", ".", "--target", "prod", "--profiles-dir", str(shop)]
    assert call["cwd"] == str(shop)
    assert call["env"]["DBT_WRITE_JSON"] == "false"
    assert call["env"]["DBT_LOG_LEVEL_FILE"] == "error"
    assert not Path(call["env"]["DBT_LOG_PATH"]).exists()


def test_values_are_kept_only_where_the_settings_say_so(shop: Path, dbt: FakeDbt) -> None:
    SchemaEmbed(Settings(store_samples=True)).profile(shop, select=["stripe.charges", "stripe.refunds"])
    assert dbt.calls()[-1]["arguments"]["include_values"] is True
    assert kept(shop)[STRIPE[0]]["columns"][0]["top_values"] == [["1", 1], [None, 3]]
    SchemaEmbed().profile(shop, select=["stripe.charges"])
    assert list(kept(shop)) == [STRIPE[0], STRIPE[5]]
    assert all(table["columns"][0]["top_values"] == [] for table in kept(shop).values())  # the old one's, too


def test_a_table_that_fails_costs_that_table(shop: Path, dbt: FakeDbt) -> None:
    dbt.tell(fails=[STRIPE[1], STRIPE[4]], missing=[STRIPE[2]])
    found = SchemaEmbed().profile(shop, select=["stripe"])
    assert found.failed == dict.fromkeys([STRIPE[1], STRIPE[4]], "Database Error in macro relation is locked")
    assert found.missing == [STRIPE[2]]
    assert sorted(found.tables) == [STRIPE[0], STRIPE[3], STRIPE[5], STRIPE[6]] == sorted(kept(shop))
    assert [call["arguments"]["select"] for call in dbt.calls()] == [STRIPE, STRIPE[2:], STRIPE[5:]]


def test_what_dbt_complains_of_shows_no_secret(shop: Path, dbt: FakeDbt) -> None:
    dbt.tell(dies="Conversion Error: 'ann@example.com' is no number")
    with pytest.raises(SchemaEmbedError, match=r"Conversion Error: '\(e-mail address\)' is no number"):
        SchemaEmbed().profile(shop)


def test_what_a_warehouse_quotes_of_a_row_is_not_shown(
    shop: Path, dbt: FakeDbt, encoder: HashEncoder, matcher: SameName
) -> None:
    said = 'Database Error in macro\n  invalid input syntax for type integer: "Canary\n' + "long" * 100_000 + ' Smith"'
    dbt.tell(fails=[STRIPE[1]], said=said)
    found = SchemaEmbed().profile(shop, select=["stripe"])
    assert found.failed == {STRIPE[1]: "Database Error in macro invalid input syntax for type integer: (not shown)"}
    with SchemaEmbed() as engine:
        engine.suggest(shop, select=["stripe"], profile=True)
        assert "Canary" not in str(engine.warnings)


def test_a_warehouse_that_fails_at_every_table_ends_the_run(shop: Path, dbt: FakeDbt) -> None:
    dbt.tell(fails=STRIPE)
    with pytest.raises(SchemaEmbedError, match=f"dbt failed at {GIVE_UP} tables in a row, last at {STRIPE[2]}: "):
        SchemaEmbed().profile(shop, select=["stripe"])
    assert len(dbt.calls()) == GIVE_UP


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ('Runtime Error\n  dbt could not find a macro with the name "schema_embed_profile" in any package',
         'dbt could not profile: Runtime Error dbt could not find a macro with the name "schema_embed_profile" in any '
         "package\n  add the package dbt_schema_embed to packages.yml, then run: dbt deps"),
        ("Database Error\n  could not connect", "dbt could not profile: Database Error could not connect\n"
         "  does `dbt debug` work here?"),
        ("", "dbt could not profile: exit code 2\n  does `dbt debug` work here?"),
    ],
)  # fmt: skip
def test_dbt_that_cannot_even_begin_is_one_message(shop: Path, dbt: FakeDbt, words: str, message: str) -> None:
    dbt.tell(dies=words or " ")
    with pytest.raises(SchemaEmbedError) as caught:
        SchemaEmbed().profile(shop)
    assert str(caught.value) == message
    assert not (shop / "target" / "schema_embed" / "profile.json").exists()


def test_without_dbt_it_says_so(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="there is no dbt on PATH"):
        SchemaEmbed().profile(shop)


def test_a_profile_is_taken_in_by_later_calls(
    engine: SchemaEmbed, shop: Path, dbt: FakeDbt, matcher: SameName, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    real = matcher.suggest
    monkeypatch.setattr(
        "dbt_schema_embed.match.suggest",
        lambda s, m, **k: (seen.extend(e.relation for e in s if e.relation.id in k["only"]), real(s, m, **k))[1],
    )
    dbt.tell(table=TABLE | {"columns": [COLUMN | {"name": "amount"}]})
    engine.suggest(shop, select=["stripe.charges"])
    engine.profile(shop, select=["stripe.charges"])
    engine.suggest(shop, select=["stripe.charges"])
    before, after = (relation.column("amount") for relation in seen)
    assert before is not None
    assert after is not None
    assert (before.unique, after.unique) == (False, True)
    assert after.values == before.values  # no value was kept


def test_without_a_catalog_the_columns_of_a_profile_are_the_tables(
    engine: SchemaEmbed, shop: Path, dbt: FakeDbt
) -> None:
    (shop / "target" / "catalog.json").unlink()
    dbt.tell(table=TABLE | {"columns": [COLUMN | {"name": "fresh", "type": "integer"}]})
    engine.profile(shop, select=["stripe.refunds"])
    engine.suggest(shop, select=["stripe.refunds"], write=True)
    path = shop / "schema_mappings" / "stripe__refunds.yml"
    assert "fresh" in path.read_text("utf-8")
    row = (
        "columns:\n  - {source_column: fresh, model: stg_stripe__refunds, model_column: refund_id, status: accepted}\n"
    )
    path.write_text(f"version: 1\nsource: stripe.refunds\n{row}", "utf-8")
    said = [(p.code, p.message) for p in engine.check(shop).problems if "fresh" in p.message]
    assert [code for code, _ in said] == ["contradicts-sql"]


def test_values_can_be_looked_at_in_memory(
    engine: SchemaEmbed, shop: Path, dbt: FakeDbt, matcher: SameName, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    real = matcher.suggest
    monkeypatch.setattr("dbt_schema_embed.match.suggest", lambda s, m, **k: (seen.extend(s), real(s, m, **k))[1])
    secret = COLUMN | {"name": "amount", "top_values": [["hunter2", 30]]}
    dbt.tell(table=TABLE | {"columns": [secret]}, fails=[STRIPE[5]])
    engine.suggest(shop, select=["stripe.charges", "stripe.refunds"], write=True, profile=True)
    (column,) = (e.relation.column("amount") for e in seen if e.relation.id == STRIPE[0])
    assert column is not None
    assert "hunter2" in column.values
    assert f"{STRIPE[5]} was not profiled: Database Error in macro relation is locked" in engine.warnings
    written = [p for p in shop.rglob("*") if p.is_file() and b"hunter2" in p.read_bytes()]
    assert written == []


def test_a_damaged_profile_is_a_warning_and_is_written_anew(engine: SchemaEmbed, shop: Path, dbt: FakeDbt) -> None:
    path = shop / "target" / "schema_embed" / "profile.json"
    path.write_text("{")
    assert any("profile.json cannot be read" in line for line in engine.suggest(shop).warnings)
    engine.profile(shop, select=["stripe.charges"])
    assert list(kept(shop)) == [STRIPE[0]]


@pytest.mark.dbt
def test_a_real_dbt_profiles_the_example(root: Path, tmp_path: Path, encoder: HashEncoder) -> None:
    pytest.importorskip("dbt.adapters.duckdb", reason="dbt-duckdb is not installed")
    bin_folder = Path(sys.executable).parent
    if not (bin_folder / "dbt").exists():
        pytest.skip("no dbt beside this Python")
    made = shutil.ignore_patterns("dbt_packages", "logs", "*.duckdb", "package-lock.yml")
    shop = Path(shutil.copytree(root / "example_project", tmp_path / "shop", ignore=made))
    (shop / "packages.yml").write_text(f"packages:\n  - local: {root}\n")
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    for args in (["deps"], ["seed"]):
        subprocess.run(["dbt", *args], cwd=shop, env=environment, check=True, capture_output=True)
    shutil.copy(root / "example_project" / "target" / "manifest.json", shop / "target" / "manifest.json")
    before = (shop / "target" / "manifest.json").read_bytes()
    shutil.rmtree(shop / "logs", ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", environment["PATH"])
        found = SchemaEmbed(Settings(store_samples=True)).profile(shop)
    assert (len(found.tables), found.missing, found.failed) == (14, [], {})
    emails = {c.name: c for c in found.tables["source.shop.shopkeep.cust"].columns}["cust_eml"]
    assert (emails.filled, emails.distinct, emails.patterns) == (40, 40, (("a.a9@a.a", 40),))
    assert (shop / "target" / "manifest.json").read_bytes() == before
    assert not [p for p in (shop / "logs").rglob("*") if p.is_file() and b"@example.com" in p.read_bytes()]
