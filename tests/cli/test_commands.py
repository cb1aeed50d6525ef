"""Every command, as one types it: what it prints where, what it writes, its exit code."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tool
from tests.shop import SameName

CHARGES = Path("schema_mappings/stripe__charges.yml")


def test_suggest_prints_a_table(in_shop: Tool) -> None:
    done = in_shop("suggest", "--select", "stripe.charges")
    assert done.code == 0
    assert done.err == ""
    assert done.out.startswith("stripe.charges\n")
    assert "amount        → stg_stripe__charges.amount" in done.out


def test_suggest_json_is_the_contract(in_shop: Tool) -> None:
    done = in_shop("suggest", "--select", "stripe.charges", "stripe.refunds", "--format", "json")
    data = json.loads(done.out)
    assert data["schema_version"] == 1
    assert {row["source"] for row in data["suggestions"]} == {
        "source.shop.stripe.charges", "source.shop.stripe.refunds",
    }  # fmt: skip
    assert set(data["suggestions"][0]) >= {
        "source", "source_column", "model", "model_column", "confidence", "status", "evidence", "candidates",
    }  # fmt: skip


def test_select_takes_values_as_dbt_does(in_shop: Tool) -> None:
    several = in_shop("suggest", "-s", "stripe", "shopkeep.promo", "--exclude", "stripe.charges", "stripe.refunds")
    repeated = in_shop("suggest", "--select", "stripe", "--select", "shopkeep.promo",
                       "--exclude", "stripe.charges stripe.refunds")  # fmt: skip
    assert several.out == repeated.out
    assert "shopkeep.promo\n" in several.out
    assert "stripe.charges\n" not in several.out


def test_suggest_writes_and_says_so_on_stderr(in_shop: Tool) -> None:
    first = in_shop("suggest", "--select", "stripe.charges", "--write", "--fail-on-change")
    assert (first.code, first.err) == (1, f"wrote {CHARGES}\n")
    assert CHARGES.read_text("utf-8").startswith("# yaml-language-server: $schema=mapping.schema.json\n")
    second = in_shop("suggest", "--select", "stripe.charges", "--write", "--fail-on-change")
    assert (second.code, second.err) == (0, "the mapping files are up to date\n")
    assert in_shop("suggest", "--write").code == 0


def test_suggest_markdown_and_output(in_shop: Tool, tmp_path: Path) -> None:
    target = tmp_path / "new" / "comment.md"
    done = in_shop("suggest", "--format", "markdown", "--output", target)
    assert (done.code, done.out, done.err) == (0, "", f"wrote {target}\n")
    assert target.read_text("utf-8").startswith("### Column mappings\n")
    assert in_shop("suggest", "--format", "markdown", "--output", "-").out.startswith("### Column mappings\n")


def test_suggest_explain(in_shop: Tool) -> None:
    assert in_shop("suggest", "--explain", "stripe.charges.id").out == "stripe.charges.id among 8 models\n"
    assert in_shop("suggest", "--explain", "stripe.charges.id", "--targets", "all").out.endswith("16 models\n")


def test_flags_reach_the_pipeline(in_shop: Tool, matcher: SameName) -> None:
    in_shop("suggest", "--targets", "all", "--top-k", "3")
    assert {k: matcher.asked[-1][k] for k in ("targets", "top_k")} == {"targets": "all", "top_k": 3}
    in_shop("suggest", "--set", "targets=all")
    assert matcher.asked[-1]["targets"] == "all"


def test_check_exits_with_1_on_errors_and_with_strict_on_warnings(in_shop: Tool) -> None:
    Path("dbt_schema_embed.yml").write_text("severity:\n  unfed-column: 'off'\n")  # equal names leave most unfed
    in_shop("suggest", "--write")
    assert in_shop("check").out == "no problems in 14 mapping files\n"
    text = CHARGES.read_text("utf-8").replace("model_column: amount", "model_column: amont", 1)
    CHARGES.write_text(text, "utf-8")
    warned = in_shop("check")
    assert (warned.code, in_shop("check", "--strict").code) == (0, 1)
    assert f"{CHARGES}:6: warning: " in warned.out
    CHARGES.write_text(text.replace("status: suggested", "status: accepted", 1), "utf-8")
    assert in_shop("check").code == 1
    assert json.loads(in_shop("check", "--format", "json").out)["problems"][0]["severity"] == "error"
    kept = in_shop("check", "--write-baseline")
    assert (kept.code, kept.err) == (0, "wrote 1 findings to schema_embed_baseline.json\n")
    clean = in_shop("check", "--strict")
    assert (clean.code, clean.err) == (0, "1 known findings passed over, as the baseline says\n")
    CHARGES.write_text(text.replace("amont", "amount"), "utf-8")
    assert "1 findings of the baseline no longer occur" in in_shop("check").err


def test_accept_reject_apply_and_stage_are_a_story(in_shop: Tool) -> None:
    in_shop("suggest", "--write")
    assert in_shop("accept", "stripe.charges", "amount").err == (
        f"wrote {CHARGES}\nnext: dbt-schema-embed stage stripe.charges\n"
    )
    assert in_shop("accept", "--source", "stripe.charges", "amount").err == "they were accepted already\n"
    assert in_shop("reject", "stripe.charges", "receipt_email", "--note", "not the payer's").err == f"wrote {CHARGES}\n"
    assert in_shop("reject", "stripe.charges", "receipt_email").err == "they were rejected already\n"
    chosen = in_shop("accept", "stripe.charges", "id", "--model", "stg_stripe__charges", "--column", "charge_id")
    assert chosen.code == 0
    sure = in_shop("accept", "stripe.charges", "--min-confidence", "0.9")
    assert sure.err == f"wrote {CHARGES}\naccepted 2 suggestions\nnext: dbt-schema-embed stage stripe.charges\n"
    assert in_shop("accept", "--min-confidence", "0.99").err == "accepted 0 suggestions\n"
    assert "+                  column: charge_id" in in_shop("apply", "--dry-run").out
    assert in_shop("apply").err == "wrote models/staging/stripe/_stripe__sources.yml\n"
    assert in_shop("apply").err == "the YAML of the sources is up to date\n"
    assert "+        id as charge_id" in in_shop("stage", "stripe.charges", "--dry-run").out
    staged = "wrote models/staging/stripe/stg_stripe__charges.sql\nnext: dbt build --select stg_stripe__charges\n"
    assert in_shop("stage", "stripe.charges").err == staged
    assert in_shop("stage", "stripe.charges").err == "the model has all that is accepted\n"
    assert in_shop("reopen", "stripe.charges", "amount").err == f"wrote {CHARGES}\n"
    assert in_shop("reopen", "stripe.charges", "amount").err == "they are open already\n"
    assert in_shop("apply", "--revert").code == 0
    assert in_shop("apply", "--revert", "--dry-run").out == "nothing would change\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("accept",), "say which: SOURCE.TABLE COLUMN..., or --min-confidence"),
        (("accept", "stripe.charges"), "say which: SOURCE.TABLE COLUMN..., or --min-confidence"),
        (("accept", "stripe.charges", "id", "--min-confidence", "0.9"),
         "--min-confidence takes a source table or none, and no columns"),
        (("accept", "--min-confidence", "9"), "Invalid value for '--min-confidence': 9.0 is not in the range 0<=x<=1."),
        (("reject", "stripe.charges"), "Missing argument 'COLUMN...'."),
    ],
)  # fmt: skip
def test_half_a_decision_is_a_usage_error(in_shop: Tool, args: tuple[str, ...], message: str) -> None:
    done = in_shop(*args)
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(f"Error: {message}\n")


def test_index_and_search(in_shop: Tool) -> None:
    built = in_shop("index", "--verify")
    assert built.out.startswith("index: ")
    assert built.out.endswith(" 0 changed, 0 removed, 0 kept, every vector verified\n")
    found = in_shop("search", "customers:", "email", "--table", "stripe.customers", "--limit", "1")
    assert found.out.endswith("  stripe.customers.email  VARCHAR  feeds stg_stripe__customers.email\n")
    data = json.loads(in_shop("search", "x", "--type", "boolean", "--limit", "2", "--format", "json").out)
    assert len(data["hits"]) == 2


def test_an_index_of_reduced_dimensions(in_shop: Tool) -> None:
    assert in_shop("index", "--set", "dimensions=4").out.startswith("index: 637 added, 0 changed")
    assert in_shop("index", "--set", "dimensions=4").out.startswith("index: 0 added, 0 changed")
    assert in_shop("index").out.startswith("index: 637 added, 0 changed")


def test_match(in_shop: Tool, tmp_path: Path) -> None:
    (tmp_path / "left.csv").write_text("id,Name\n1,a\n")
    (tmp_path / "right.sql").write_text("create table a (x int); create table people (NAME text, y int);")
    (tmp_path / "docs.json").write_text('{"id": {"description": "a key", "type": "integer"}}')
    ambiguous = in_shop("match", tmp_path / "left.csv", tmp_path / "right.sql")
    assert (ambiguous.code, ambiguous.out) == (2, "")
    done = in_shop(
        "match", tmp_path / "left.csv", tmp_path / "right.sql", "--right-table", "people", "--left-table", "persons",
        "--left-docs", tmp_path / "docs.json", "--format", "json",
    )  # fmt: skip
    rows = json.loads(done.out)["suggestions"]
    assert [(r["source"], r["source_column"], r["model"], r["model_column"]) for r in rows] == [
        ("persons", "id", None, None),
        ("persons", "Name", "people", "NAME"),
    ]


def test_cache(tool: Tool, tmp_path: Path) -> None:
    here = ("--set", f"cache_dir={tmp_path / 'cache'}")
    assert tool("cache", "stats", *here).out == f"{tmp_path}/cache/memo\n0 vectors, 0.0 MB of at most 4 GB\n"
    assert json.loads(tool("cache", "stats", "--format", "json", *here).out)["entries"] == 0
    assert tool("cache", "export", tmp_path / "memo.bin", *here).out == f"0 vectors written to {tmp_path}/memo.bin\n"
    assert tool("cache", "import", tmp_path / "memo.bin", *here).out == "0 vectors taken in\n"
    assert tool("cache", "clear", *here).out == "0 vectors removed\n"


def test_cache_warm(in_shop: Tool) -> None:
    first = in_shop("cache", "warm").out
    texts = first.split()[0]
    assert first == f"{texts} texts, {texts} of them encoded now\n"
    assert in_shop("cache", "warm").out == f"{texts} texts, 0 of them encoded now\n"


@pytest.mark.model
def test_doctor(in_shop: Tool) -> None:
    done = in_shop("doctor")
    assert done.code == 0
    assert done.out.startswith("versions\n  ok       dbt-schema-embed ")
    assert done.out.endswith("\nall that suggest needs is here\n")
    assert json.loads(in_shop("doctor", "--format", "json").out)["ok"] is True


def test_doctor_of_nothing_exits_with_1(tool: Tool, tmp_path: Path) -> None:
    done = tool("doctor", "--project-dir", tmp_path, "--set", "model_name=no such encoder")
    assert done.code == 1
    assert (
        f"  BROKEN   there is no dbt project in {tmp_path.resolve()}: neither dbt_project.yml nor a manifest\n"
        in done.out
    )
    assert done.out.endswith("\nsomething that suggest needs is broken\n")


def test_the_project_can_be_named_in_every_way(
    in_shop: Tool, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = in_shop("suggest").out
    monkeypatch.chdir(tmp_path)
    assert in_shop("suggest", "--project-dir", shop).out == expected
    monkeypatch.setenv("DBT_PROJECT_DIR", str(shop))
    assert in_shop("suggest").out == expected
    monkeypatch.delenv("DBT_PROJECT_DIR")
    (shop / "target").rename(shop / "out")
    assert in_shop("suggest", "--project-dir", shop, "--target-path", "out").out == expected
    artifacts = ("--manifest", shop / "out" / "manifest.json", "--catalog", shop / "out" / "catalog.json")
    assert in_shop("suggest", "--project-dir", shop, *artifacts).out == expected


def test_commands_that_change_files_answer_in_json(in_shop: Tool) -> None:
    in_shop("suggest", "--write")
    for words in (
        ("accept", "stripe.charges", "amount"), ("reject", "stripe.charges", "amount"),
        ("reopen", "stripe.charges", "amount"), ("accept", "--min-confidence", "0.9", "--source", "stripe.charges"),
        ("apply", "--dry-run"), ("stage", "stripe.charges", "--dry-run"),
    ):  # fmt: skip
        done = in_shop(*words, "--format", "json")
        assert done.code == 0, done.err
        assert json.loads(done.out)["diff"]
    explained = json.loads(in_shop("suggest", "--explain", "stripe.charges.id", "--format", "json").out)
    assert explained["source_column"] == "stripe.charges.id"
    compact = json.loads(in_shop("suggest", "--candidates", "0", "--format", "json").out)
    assert "tables" in compact


def test_the_project_is_found_from_a_folder_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt_schema_embed.cli.options import _project_above

    inside = tmp_path / "models" / "staging"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert _project_above(Path()) == Path()
    (tmp_path / "dbt_project.yml").write_text("name: x\n")
    assert _project_above(Path()) == Path("../..")
    assert _project_above(Path("other")) == Path("other")
