"""check around its room: which SQL is read, how old the manifest may be, what the baseline passes over."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dbt_schema_embed.errors import ArtifactError, ConfigError
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.read.own_files import GRACE
from dbt_schema_embed.settings import Settings
from tests.test_imports import modules_after

QUIET = Settings(severity={"unfed-column": "off"})  # the matcher of equal names leaves most planned columns unfed


@pytest.fixture
def mapped(engine: SchemaEmbed, shop: Path) -> Path:
    """The example with mapping files for all its sources; nothing in them is wrong."""
    engine.suggest(shop, write=True)
    return shop


def replaced(shop: Path, old: str, new: str, name: str = "stripe__charges.yml") -> None:
    path = shop / "schema_mappings" / name
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")


def codes(shop: Path, settings: Settings = QUIET) -> list[str]:
    return [problem.code for problem in SchemaEmbed(settings).check(shop).problems]


def test_a_project_without_mapping_files_has_no_problem(shop: Path) -> None:
    found = SchemaEmbed(QUIET).check(shop)
    assert (found.problems, found.files, found.failed) == ((), 0, False)
    assert found.text("text") == "no problems in 0 mapping files\n"


def test_fresh_mapping_files_have_no_problem(mapped: Path) -> None:
    found = SchemaEmbed(QUIET).check(mapped)
    assert (found.problems, found.files) == ((), 14)


def test_a_wrong_name_is_an_error_once_it_is_accepted(mapped: Path) -> None:
    replaced(mapped, "model_column: amount", "model_column: amont")
    assert not SchemaEmbed(QUIET).check(mapped).failed
    replaced(mapped, "status: suggested", "status: accepted")
    found = SchemaEmbed(QUIET).check(mapped)
    assert found.failed
    assert [(p.code, p.line) for p in found.problems if p.severity == "error"] == [("unknown-model-column", 6)]


def test_a_file_that_cannot_be_read_is_a_problem_and_the_others_are_checked(mapped: Path) -> None:
    (mapped / "schema_mappings" / "aaa.yml").write_text("<<<<<<< HEAD\nversion: 1\n")
    replaced(mapped, "source_column: amount", "source_column: amont")
    found = SchemaEmbed(QUIET).check(mapped)
    assert {p.code for p in found.problems} >= {"unreadable-mapping", "unknown-source-column"}
    assert found.files == 15


def test_lineage_is_read_only_of_models_that_decided_rows_name(mapped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    from dbt_schema_embed.pipeline import checking

    real = checking.with_decided_sql
    monkeypatch.setattr(checking, "with_decided_sql", lambda *a: (asked.append(real(*a)), asked[-1])[1])
    SchemaEmbed(QUIET).check(mapped)
    assert asked == [set()]  # suggestions for planned models only: they have no SQL
    replaced(mapped, "unmapped:", "columns:\n  - {source_column: cust_no, model: stg_shopkeep__customers, "
             "model_column: email, status: accepted}\nunmapped:", "shopkeep__cust.yml")  # fmt: skip
    assert "contradicts-sql" in codes(mapped)
    assert asked[-1] == {"model.shop.stg_shopkeep__customers"}


def test_severities_come_from_the_settings(mapped: Path) -> None:
    replaced(mapped, "model_column: amount", "model_column: amont")
    assert codes(mapped) == ["unknown-model-column"]
    assert codes(mapped, Settings(severity={"unknown-model-column": "off", "unfed-column": "off"})) == []
    with pytest.raises(ConfigError, match="'unknown-modl' is no rule of check"):
        codes(mapped, Settings(severity={"unknown-modl": "off"}))


def test_a_manifest_older_than_what_only_dbt_reads_is_told(shop: Path) -> None:
    manifest, macro = shop / "target" / "manifest.json", shop / "macros" / "cents_to_amount.sql"
    now = manifest.stat().st_mtime
    for path in (*shop.rglob("*.*"),):
        os.utime(path, (now, now))
    os.utime(macro, (now, now + GRACE - 1))
    os.utime(shop / "models" / "marts" / "customers.sql", (now, now + 9 * GRACE))  # the same text
    assert codes(shop) == []
    os.utime(macro, (now, now + GRACE + 1))
    (problem,) = SchemaEmbed(QUIET).check(shop).problems
    assert (problem.code, problem.severity, problem.path, problem.message, problem.hint) == (
        "stale-manifest", "warning", "target/manifest.json",
        "it is older than macros/cents_to_amount.sql, which only dbt can read", "run: dbt parse",
    )  # fmt: skip


@pytest.mark.parametrize("target", ["stale", "ignored"])
def test_a_column_that_sql_and_yaml_rename_is_found_in_the_files(mapped: Path, target: str) -> None:
    staging = mapped / "models" / "staging" / "stripe"
    row = "{source_column: name, model: stg_stripe__customers, model_column: customer_name, status: accepted}"
    replaced(mapped, "columns:", f"columns:\n  - {row}", "stripe__customers.yml")
    replaced(mapped, "  - name\n", "", "stripe__customers.yml")
    before = codes(mapped)
    if target == "ignored":
        shutil.rmtree(mapped / "target")
    else:  # of a checkout of yesterday
        os.utime(mapped / "target" / "manifest.json", (0, 0))
    assert "unknown-model-column" not in codes(mapped) + before
    for name in ("stg_stripe__customers.sql", "_stripe__models.yml"):
        path = staging / name
        path.write_text(path.read_text("utf-8").replace("customer_name", "full_name"), "utf-8")
    found = SchemaEmbed(QUIET).check(mapped)
    said = [(p.code, p.severity, p.message) for p in found.problems if p.path.endswith("stripe__customers.yml")]
    assert ("contradicts-sql", "error") in [line[:2] for line in said]
    assert ("unknown-model-column", "error", "'stg_stripe__customers' has no column 'customer_name'") in said
    assert any("there is no target/manifest.json" in note for note in found.notes) == (target == "ignored")


def test_a_model_that_is_renamed_is_found_where_there_is_no_manifest(mapped: Path) -> None:
    replaced(mapped, "status: suggested", "status: accepted")
    shutil.rmtree(mapped / "target")
    assert not SchemaEmbed(QUIET).check(mapped).failed
    staging = mapped / "models" / "staging" / "stripe"
    (staging / "stg_stripe__charges.sql").rename(staging / "stg_stripe__payments.sql")
    assert "unknown-model" in codes(mapped)


@pytest.mark.parametrize(("built", "wrong"), [(False, []), (True, ["unknown-model"])])
def test_yaml_without_a_file_is_a_plan_unless_the_manifest_knows_it_built(
    mapped: Path, *, built: bool, wrong: list[str]
) -> None:
    name = "stg_stripe__charges"
    (mapped / "models" / "staging" / "stripe" / f"{name}.sql").unlink()
    path = mapped / "target" / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    if not built:
        del manifest["nodes"][f"model.shop.{name}"]
        path.write_text(json.dumps(manifest), "utf-8")
    assert sorted({*codes(mapped)} - {"stale-manifest"}) == wrong


def test_the_baseline_passes_over_what_was_there(mapped: Path) -> None:
    replaced(mapped, "model_column: amount", "model_column: amont")
    replaced(mapped, "status: suggested", "status: accepted")
    engine = SchemaEmbed(QUIET)
    path, count = engine.write_baseline(mapped)
    assert (path, count) == (mapped / "schema_embed_baseline.json", 1)
    found = engine.check(mapped)
    assert (found.problems, found.known, found.gone, found.failed) == ((), 1, 0, False)
    replaced(mapped, "model_column: amont", "model_column: amounts")
    found = engine.check(mapped)
    assert ([p.code for p in found.problems], found.known, found.gone) == (["unknown-model-column"], 0, 1)
    assert engine.check(mapped, baseline=path).gone == 1


def test_a_baseline_that_was_named_must_be_there(shop: Path) -> None:
    with pytest.raises(ConfigError, match=r"baseline .*nope\.json cannot be read"):
        SchemaEmbed(QUIET).check(shop, baseline=shop / "nope.json")


def test_annotations_name_files_from_the_top_of_the_repository(mapped: Path, tmp_path: Path) -> None:
    replaced(mapped, "model_column: amount", "model_column: amont")
    (tmp_path / ".git").mkdir()
    text = SchemaEmbed(QUIET).check(mapped).text("github")
    assert "file=shop/schema_mappings/stripe__charges.yml,line=6" in text
    (mapped / ".git").touch()  # a worktree has a file
    assert "file=schema_mappings/stripe__charges.yml,line=6" in SchemaEmbed(QUIET).check(mapped).text("github")


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif", "junit"])
def test_every_format_can_be_asked_for(mapped: Path, form: str) -> None:
    assert SchemaEmbed(QUIET).check(mapped).text(form)[:1] in ("n", "{", "", "<")


def test_the_command_offers_the_formats_of_the_room() -> None:
    from dbt_schema_embed.check import FORMATS
    from dbt_schema_embed.cli.check import command

    (option,) = [p for p in command.params if p.name == "form"]
    assert tuple(option.type.choices) == tuple(FORMATS)  # type: ignore[attr-defined]


def test_a_missing_manifest_is_an_artifact_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="there is no dbt project"):
        SchemaEmbed(QUIET).check(tmp_path)


def test_check_loads_no_encoder_no_index_no_matcher_and_no_sql_parser(mapped: Path) -> None:
    code = f"from dbt_schema_embed import SchemaEmbed\nprint(SchemaEmbed().check({str(mapped)!r}).files)"
    loaded = modules_after(code)
    assert not loaded & {"numpy", "sqlglot", "torch", "diskcache", "dbt_schema_embed.embed", "dbt_schema_embed.index",
                         "dbt_schema_embed.match", "ruamel"}  # fmt: skip


def test_the_baseline_is_json_a_person_can_read(mapped: Path) -> None:
    replaced(mapped, "model_column: amount", "model_column: amont")
    path, _ = SchemaEmbed(QUIET).write_baseline(mapped, baseline=mapped / "sub" / "known.json")
    (line,) = json.loads(path.read_text("utf-8"))["known"].values()
    assert line.startswith("schema_mappings/stripe__charges.yml: ")


def test_a_symlink_to_nowhere_among_the_models_is_passed_over(shop: Path) -> None:
    (shop / "models" / "dangling.sql").symlink_to(shop / "nowhere.sql")
    assert codes(shop) == []


def test_git_is_not_asked(mapped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", None)
    monkeypatch.setattr(subprocess, "Popen", None)
    assert SchemaEmbed(QUIET).check(mapped).files == 14
