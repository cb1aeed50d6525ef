"""A re-run keeps what people did and changes only what says something else now."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.errors import MappingError, WriteError
from dbt_schema_embed.records import MappingFile, MappingRow, Status, Suggestion
from dbt_schema_embed.write.mapping import parse_mapping
from dbt_schema_embed.write.update import checked, update_mapping

ROW = """\
version: 1
source: stripe.charges
columns:
  - source_column: id
    model: stg_stripe__charges
    model_column: charge_id
    confidence: 0.90
    status: suggested
    reason: as in 14 other models
unmapped: [x]
"""


def test_a_new_file(update: Any, suggest: Any, fixtures: Path) -> None:
    text = update(
        None,
        suggest("id", "charge_id", 0.9731, reason="id -> <table>_id, as in 14 other models"),
        suggest("_fivetran_synced"),
        suggest(
            "createdAt", "Created At", 1, model="model.shop.orders", status="existing",
            reason="the SQL of orders: createdAt::date",
        ),
        suggest("null"),
        suggest("on", "is_on", 0.5),
        suggest("it's \u202e"),
    )  # fmt: skip
    assert text == (fixtures / "new.yml").read_text("utf-8")


def test_a_file_people_have_worked_in(update: Any, suggest: Any, fixtures: Path) -> None:
    rows = [
        suggest("id", "id", 0.99),  # settled: ID is accepted
        suggest("amount", "amount_cents", 0.95),  # rejected
        suggest("created", "ordered_on", 0.88, model="model.shop.orders", reason="a date, as the column is"),
        suggest("currency", "currency", 0.97, status="existing"),  # moved by less than 0.05
        suggest("refunded", "is_refunded", 0.9),
        suggest("_synced"),
        suggest("livemode"),
    ]
    old = (fixtures / "worked_in.yml").read_text("utf-8")
    new = update(old, *rows)
    assert new == (fixtures / "worked_in.updated.yml").read_text("utf-8")
    assert update(None, *rows) == new
    crlf = "\ufeff" + old.replace("\n", "\r\n")
    assert update(crlf, *rows) == "\ufeff" + new.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"confidence": 0.944}, ""),
        ({"confidence": 0.95}, "    confidence: 0.95"),
        ({"confidence": 0.85}, "    confidence: 0.85"),
        ({"reason": "as in 15 other models"}, ""),
        ({"reason": "as in other models"}, "    reason: as in other models"),
        ({"reason": ""}, ""),
        ({"status": "existing"}, "    status: existing"),
        ({"model_column": "id"}, "    model_column: id"),
        ({"model": "model.other"}, "    model: model.other"),
    ],
)
def test_a_row_is_rewritten_only_for_a_reason(update: Any, suggest: Any, change: dict[str, Any], line: str) -> None:
    fresh = replace(suggest("id", "charge_id", reason="as in 14 other models"), **change)
    new = update(ROW, fresh, suggest("x")).splitlines()
    assert [text for text in new if text not in ROW.splitlines()] == ([line] if line else [])
    assert len(new) == len(ROW.splitlines()) - (change == {"reason": ""})


def test_a_column_moves_between_the_lists(update: Any, suggest: Any) -> None:
    text = update(ROW, suggest("ID"), suggest("x", "charge_id"))
    assert text == ROW.split("  - ")[0] + (
        "  - source_column: x\n    model: stg_stripe__charges\n    model_column: charge_id\n"
        "    confidence: 0.90\n    status: suggested\nunmapped: [ID]\n"
    )
    assert update(None, suggest("x")) == "version: 1\nsource: stripe.charges\ncolumns:\nunmapped: [x]\n"
    assert update(None, suggest("id", "charge_id")) == ROW.replace("    reason: as in 14 other models\n", "").replace(
        "unmapped: [x]\n", ""
    )


def test_names_that_differ_in_case_alone_are_two_columns(update: Any, suggest: Any) -> None:
    text = update(ROW, suggest("ID"), suggest("id", "charge_id", reason="as in 14 other models"), suggest("x"))
    assert text == ROW.replace("[x]", "[x, ID]")


@pytest.mark.parametrize("columns", ["", "columns:\n", "columns: []\n", "columns: ~ # none\n"])
def test_a_file_without_rows(update: Any, suggest: Any, columns: str) -> None:
    old = f"version: 1\nsource: stripe.charges\n{columns}# end"
    file, _ = parse_mapping(update(old, suggest("id", "charge_id"), suggest("x")), "charges.yml")
    assert [row.source_column for row in file.columns] == ["id"]
    assert file.unmapped == ("x",)


def test_a_list_that_grows_where_a_key_is_added(update: Any, suggest: Any) -> None:
    text = update("version: 1\nsource: stripe.charges\nunmapped:\n- x\n", suggest("id", "charge_id"), suggest("y"))
    assert text == (
        "version: 1\nsource: stripe.charges\nunmapped:\n- 'y'\ncolumns:\n- source_column: id\n"
        "  model: stg_stripe__charges\n  model_column: charge_id\n  confidence: 0.90\n  status: suggested\n"
    )


def test_the_diff_and_the_hash(tmp_path: Path, suggest: Any) -> None:
    path = tmp_path / "charges.yml"
    path.write_text(ROW)
    rewrite = update_mapping(
        path, [suggest("id", "charge_id")], source="stripe.charges", names={}, shown="m/charges.yml"
    )
    assert rewrite.diff().startswith("--- a/m/charges.yml\n+++ b/m/charges.yml\n@@ -2,9 +2,7 @@\n")
    path.write_text(ROW + "# more\n")
    with pytest.raises(WriteError, match="was changed by somebody else meanwhile"):
        rewrite.write(tmp_path)
    assert path.read_text() == ROW + "# more\n"


def test_another_source_of_the_same_file_name(update: Any, suggest: Any) -> None:
    with pytest.raises(MappingError) as caught:
        update(ROW.replace("stripe.charges", "stripe__charges.x"), suggest("id"))
    assert str(caught.value) == (
        "charges.yml: it maps stripe__charges.x, and stripe.charges has the same file name\n  rename one of the sources"
    )


def test_a_name_that_no_file_can_hold(update: Any, suggest: Any) -> None:
    with pytest.raises(WriteError, match=r"charges\.yml cannot be changed safely: 'id\\ud800' is not Unicode text"):
        update(None, suggest("id\ud800", "charge_id"))
    with pytest.raises(WriteError, match="is not Unicode text"):
        update(ROW, suggest("id\ud800", "charge_id"))


def test_a_text_that_would_say_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "charges.yml"
    path.write_text(ROW)
    file, _ = parse_mapping(ROW, "m.yml")
    assert checked(ROW, file, "m.yml") == ROW
    for text, why in (
        (ROW + "a: [", "it is not YAML"),
        (ROW.replace("[x]", "[y]"), "the result would say something else"),
    ):
        with pytest.raises(WriteError, match=f"m.yml cannot be changed safely: {why}"):
            checked(text, file, "m.yml")


def test_confidence_and_package_come_and_go(update: Any, suggest: Any) -> None:
    old = ROW.replace("    confidence: 0.90\n", "").replace("    reason: as in 14 other models\n", "")
    assert "    confidence: 0.90\n" in update(old, suggest("id", "charge_id"), suggest("x"))
    with pytest.raises(MappingError, match="has the same file name"):
        update(old.replace("columns:", "package: other\ncolumns:"), suggest("id", "charge_id"))


def test_a_source_of_two_packages(tmp_path: Path, suggest: Any) -> None:
    path = tmp_path / "a__charges.yml"
    for _ in range(2):
        rewrite = update_mapping(path, [suggest("x")], source="stripe.charges", names={}, package="a")
        rewrite.write(tmp_path)
    assert path.read_text().endswith("version: 1\nsource: stripe.charges\npackage: a\nunmapped: [x]\n")
    assert not rewrite.changed


NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.sampled_from(
    ["id", "a: b", "no", "x"]
)
STATUS: st.SearchStrategy[Status] = st.sampled_from(["suggested", "existing", "accepted", "rejected"])
FRESH = st.lists(
    st.builds(
        lambda column, target, confidence, status, reason: Suggestion(
            "source.shop.stripe.charges", column, target and "model.shop.m", target, confidence, status, reason
        ),
        NAME,
        st.none() | NAME,
        st.floats(0, 1),
        st.sampled_from(["suggested", "existing"]),
        NAME | st.just(""),
    ),
    max_size=6,
    unique_by=lambda s: s.source_column,
)


@given(FRESH, FRESH, st.data())
def test_updates_are_stable_and_keep_decisions(
    tmp_path_factory: pytest.TempPathFactory, first: list[Suggestion], second: list[Suggestion], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("m") / "charges.yml"

    def run(rows: list[Suggestion]) -> tuple[str, MappingFile]:
        rewrite = update_mapping(path, rows, source="s.t", names={})
        rewrite.write(path.parent)
        assert path.read_bytes().decode() == rewrite.text
        return rewrite.text, parse_mapping(rewrite.text, "charges.yml")[0]

    text, file = run(first)
    assert [(r.source_column, r.model_column) for r in file.columns] == [
        (s.source_column, s.model_column) for s in first if s.model
    ]
    assert set(file.unmapped) == {s.source_column for s in first if not s.model}
    assert run(first) == (text, file)
    decided = text
    for _ in file.columns:
        status = data.draw(STATUS)
        decided = decided.replace("status: suggested", f"status: {status} # mine", 1)
    path.write_bytes(decided.encode())
    before = parse_mapping(decided, "charges.yml")[0]
    text, after = run(second)
    assert _decided(before) == _decided(after)
    assert run(second) == (text, after)


def _decided(file: MappingFile) -> list[MappingRow]:
    return [replace(row, line=0) for row in file.columns if row.status in ("accepted", "rejected")]
