"""Accepted rows, and only they, reach the YAML that declares the source."""

from dataclasses import replace
from pathlib import Path

import pytest

from dbt_schema_embed.errors import WriteError
from dbt_schema_embed.records import Column, MappingFile, MappingRow, Project, Relation
from dbt_schema_embed.write.apply import apply_mappings

YAML = "sources:\n  - name: stripe\n    tables:\n      - name: charges\n        columns:\n          - name: id\n"
SOURCE = Relation(
    "source.shop.stripe.charges",
    "charges",
    "source",
    (Column("ID", "integer"), Column("createdAt", "varchar(30)", quoted=True), Column("amount", "decimal(10,2)")),
    source_name="stripe",
    package="shop",
    path="models/_sources.yml",
)
MODEL = Relation(
    "model.shop.stg",
    "stg",
    "model",
    (Column("charge_id", "bigint"), Column("created_at", "timestamp"), Column("amount", "numeric(10, 2)")),
    package="shop",
)
PROJECT = Project("shop", "duckdb", (MODEL, SOURCE))
FILE = MappingFile(
    "schema_mappings/stripe__charges.yml",
    "Stripe.charges",
    (
        MappingRow("id", "stg", "charge_id", status="accepted"),
        MappingRow("createdAt", "stg", "created_at", status="accepted"),
        MappingRow("amount", "stg", "amount", status="suggested"),
        MappingRow("paid", "stg", "is_paid", status="rejected"),
        MappingRow("note", None, None, status="accepted"),
    ),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "_sources.yml").write_text(YAML)
    return tmp_path


def test_accepted_rows_are_applied_and_reverted(folder: Path) -> None:
    applied = apply_mappings(PROJECT, [FILE], folder)
    assert applied.warnings == ()
    (rewrite,) = applied.rewrites
    assert rewrite.diff() == (
        "--- a/models/_sources.yml\n+++ b/models/_sources.yml\n@@ -4,3 +4,18 @@\n       - name: charges\n"
        "         columns:\n           - name: id\n"
        "+            config:\n+              meta:\n+                schema_embed:\n"
        "+                  model: stg\n+                  column: charge_id\n+                  type: bigint\n"
        "+          - name: createdAt\n+            quote: true\n"
        "+            config:\n+              meta:\n+                schema_embed:\n"
        "+                  model: stg\n+                  column: created_at\n+                  type: timestamp\n"
        "+                  added: true\n"
    )
    assert (folder / "models" / "_sources.yml").read_text() == YAML
    assert rewrite.write(folder)
    assert apply_mappings(PROJECT, [FILE], folder).rewrites == ()
    (back,) = apply_mappings(PROJECT, [FILE], folder, revert=True).rewrites
    assert back.text == YAML


def test_a_row_rejected_later_loses_its_entry(folder: Path) -> None:
    apply_mappings(PROJECT, [FILE], folder).rewrites[0].write(folder)
    later = replace(FILE, columns=tuple(replace(row, status="rejected") for row in FILE.columns))
    (rewrite,) = apply_mappings(PROJECT, [later], folder).rewrites
    assert "schema_embed" not in rewrite.text


@pytest.mark.parametrize(
    ("source", "file", "warning"),
    [
        (SOURCE, replace(FILE, source="a.b"), "source a.b is not in the project: not applied"),
        (SOURCE, replace(FILE, package="x"), "source Stripe.charges is not in the project: not applied"),
        (
            replace(SOURCE, package="fivetran"),
            FILE,
            "source Stripe.charges is declared by the package fivetran: not applied",
        ),
        (replace(SOURCE, path="../x.yml"), FILE, "source Stripe.charges is declared outside the project: not applied"),
        (replace(SOURCE, path=""), FILE, "source Stripe.charges is declared outside the project: not applied"),
    ],
)
def test_what_is_not_ours_is_passed_over(folder: Path, source: Relation, file: MappingFile, warning: str) -> None:
    applied = apply_mappings(replace(PROJECT, relations=(MODEL, source)), [file], folder)
    assert applied.rewrites == ()
    assert applied.warnings == (f"{FILE.path}: {warning}",)


@pytest.mark.parametrize("name", ["{{ env_var('KEY') }}", "{% raw %}", "a{# b"])
def test_a_name_that_dbt_would_render_is_not_applied(folder: Path, name: str) -> None:
    """dbt renders the YAML of sources, and names come from warehouses."""
    good = MappingRow("id", MODEL.name, "charge_id", status="accepted")
    rows = [replace(good, **{part: name}) for part in ("source_column", "model", "model_column")]
    applied = apply_mappings(PROJECT, [replace(FILE, columns=(good, *rows))], folder)
    assert "{" not in applied.rewrites[0].text
    assert len(applied.warnings) == 3
    assert applied.warnings[0] == f"{FILE.path}:0: {name} not applied: dbt would take the name for Jinja"


def test_a_type_that_is_none_is_not_applied(folder: Path) -> None:
    """The macros write it into SQL as it is."""
    model = replace(MODEL, columns=(Column("made", "timestamp); drop table x; --"), Column("at", "date {{ x }}")))
    rows = tuple(MappingRow("id", MODEL.name, c.name, status="accepted") for c in model.columns)
    project = replace(PROJECT, relations=(model, replace(SOURCE, columns=(Column("id", "integer"),))))
    (rewrite,) = apply_mappings(project, [replace(FILE, columns=rows)], folder).rewrites
    assert "type:" not in rewrite.text


def test_a_source_declared_twice_or_mapped_twice(folder: Path) -> None:
    other = replace(SOURCE, id="source.b.stripe.charges", package="b")
    applied = apply_mappings(replace(PROJECT, relations=(other, SOURCE)), [FILE], folder)
    assert applied.warnings == (f"{FILE.path}: source Stripe.charges is declared twice: not applied",)
    applied = apply_mappings(PROJECT, [FILE, replace(FILE, path="b.yml")], folder)
    assert applied.warnings == (f"b.yml: {FILE.path} maps the same source: not applied",)
    assert len(applied.rewrites) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "models/_sources.yml cannot be read: No such file or directory"),
        (b"\xff", "models/_sources.yml:1 cannot be changed: it is not UTF-8 text"),
        (b"a: [\n", "models/_sources.yml:2 cannot be changed: it is not YAML: did not find expected node content"),
        (b"<<<<<<< HEAD\n", "models/_sources.yml:1 cannot be changed: a merge conflict is not resolved"),
        (b"sources: []\n", "models/_sources.yml cannot be changed: it does not declare stripe.charges"),
    ],
)
def test_yaml_that_cannot_be_changed(folder: Path, content: bytes | None, said: str) -> None:
    path = folder / "models" / "_sources.yml"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WriteError) as caught:
        apply_mappings(PROJECT, [FILE], folder)
    assert caught.value.message == said
    assert caught.value.hint
