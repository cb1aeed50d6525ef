"""The reader of mapping files: strict, bounded, and clear about what is wrong."""

import contextlib
import json
import re
import time
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.errors import MappingError
from dbt_schema_embed.lookup import model_names
from dbt_schema_embed.records import MappingFile, MappingRow, Relation
from dbt_schema_embed.write import yamltree
from dbt_schema_embed.write.mapping import mapping_path, parse_mapping, read_mapping, schema_text

HEAD = "version: 1\nsource: stripe.charges\n"
ROW = HEAD + "columns:\n  - source_column: id\n    model: m\n    model_column: c\n"
BAD_FILE = Path(__file__).resolve().parent.parent / "fixtures" / "write" / "bad_mappings.txt"


def bad_files() -> dict[str, tuple[str, str]]:
    """Title -> (text of a mapping file, what is said about it)."""
    cases = {}
    for block in re.split(r"^#### (?!says)", BAD_FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, body = block.partition("\n")
        text, _, message = body.partition("#### says\n")
        cases[title] = (text, message.rstrip("\n"))
    return cases


BAD = bad_files()


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said(tmp_path: Path, case: str) -> None:
    text, message = BAD[case]
    path = tmp_path / "charges.yml"
    path.write_bytes(text.encode())
    with pytest.raises(MappingError) as caught:
        read_mapping(path, "charges.yml")
    assert str(caught.value) == message
    assert caught.value.path == "charges.yml"


def test_the_table_is_read() -> None:
    assert len(BAD) > 25


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "m.yml: it is empty\n  remove it, and write it again with: dbt-schema-embed suggest --write"),
        (b"a: [x\x1b[31m]\n", "m.yml:1: it is not YAML: a control character stands in it"),
        (b"a: 1\n\tb: 1\n", "m.yml:2: it is not YAML: found a tab character that violates indentation"),
        (b"version: " + b"[" * 10_000, "m.yml:1: it is nested more than 60 levels deep"),
        (b"version: 1\nsource: \xff\n", "m.yml:2: it is not UTF-8 text"),
        (b"\xff\xfev\x00", "m.yml:1: it is not UTF-8 text"),
        (b"#" * (8 * 2**20 + 1), "m.yml: it is larger than 8 MiB"),
        (
            b"version: 1\nsource: a.b\nunmapped: [" + b"a," * 20_001 + b"]",
            "m.yml:3: unmapped lists more than 20000 columns",
        ),
    ],
)
def test_bytes_that_are_no_mapping(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "m.yml"
    path.write_bytes(content)
    with pytest.raises(MappingError) as caught:
        read_mapping(path, "m.yml")
    assert str(caught.value) == message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"^m\.yml: it cannot be read: No such file or directory$"):
        read_mapping(tmp_path / "m.yml", "m.yml")
    with pytest.raises(MappingError, match=r"^m\.yml: it cannot be read: Is a directory$"):
        read_mapping(tmp_path, "m.yml")


def test_what_is_read(fixtures: Path) -> None:
    file = read_mapping(fixtures / "worked_in.yml", "m/charges.yml")
    assert (file.path, file.source, file.package) == ("m/charges.yml", "stripe.charges", "")
    assert (file.unmapped, file.unmapped_line) == (("_synced", "_gone"), 36)
    assert file.columns[0] == MappingRow(
        "ID", "stg_stripe__charges", "charge_id", None, "accepted", "she asked the vendor", 7,
        "Ana asked the vendor; it is stable.",
    )  # fmt: skip
    assert file.columns[1] == MappingRow("amount", "stg_stripe__charges", "amount_cents", None, "rejected", line=16)
    assert [row.line for row in file.columns] == [7, 16, 18, 24, 30]


def test_words_that_yaml_takes_for_other_things_are_names() -> None:
    row = "  - {source_column: no, model: 1e3, model_column: 2020-01-01, status: accepted}\n"
    file, _ = parse_mapping(f"{HEAD}columns:\n{row}unmapped: [on, 007]\n", "m.yml")
    assert (file.columns[0].source_column, file.columns[0].model, file.columns[0].model_column) == (
        "no",
        "1e3",
        "2020-01-01",
    )
    assert file.unmapped == ("on", "007")


def test_a_row_can_say_that_a_column_feeds_nothing() -> None:
    file, _ = parse_mapping(HEAD + "columns:\n  - {source_column: x, status: accepted, model: ~}\n", "m.yml")
    assert file.columns == (MappingRow("x", None, None, status="accepted", line=4),)


def test_without_libyaml_the_same_is_read(fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = read_mapping(fixtures / "worked_in.yml", "m.yml")
    monkeypatch.setattr(yamltree, "_LOADER", yaml.SafeLoader)
    assert read_mapping(fixtures / "worked_in.yml", "m.yml") == fast


def test_the_schema_says_what_the_reader_does(fixtures: Path) -> None:
    schema = json.loads(schema_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for name in ("new.yml", "worked_in.yml"):
        assert list(validator.iter_errors(yaml.safe_load((fixtures / name).read_text()))) == []
    syntax = (
        "it is not YAML",
        "merge conflict",
        "stands here twice",
        "more than one",
        "anchor",
        "nested",
        "quotes",
        "(no name)",
        "'.nan'",
    )
    for case, (text, message) in BAD.items():
        if not any(word in message + case for word in syntax):
            assert list(validator.iter_errors(yaml.safe_load(text))), case


def source(name: str, source_name: str = "stripe", package: str = "shop") -> Relation:
    return Relation(f"source.{package}.{source_name}.{name}", name, "source", source_name=source_name, package=package)


def test_where_a_mapping_lives() -> None:
    folder = Path("schema_mappings")
    assert mapping_path(folder, source("charges")) == folder / "stripe__charges.yml"
    assert mapping_path(folder, source("charges"), package="a") == folder / "a__stripe__charges.yml"
    assert mapping_path(folder, Relation("left", "left", "table")) == folder / "left.yml"
    for hostile in ("../../etc/passwd", "a/b", "..\\x", "nul\0", "\u202egnp", "x" * 500):
        path = mapping_path(folder, source(hostile))
        assert path.parent == folder
        assert path.name.isprintable()
        assert len(path.name.encode()) < 255


def test_what_models_are_called() -> None:
    relations = [
        source("orders"),
        Relation("model.a.orders", "orders", "model", package="a"),
        Relation("model.b.orders", "orders", "model", package="b"),
        Relation("model.a.users.v1", "users", "model", package="a"),
        Relation("model.a.users.v2", "users", "model", package="a"),
        Relation("snapshot.a.kept", "kept", "snapshot", package="a"),
        Relation("right", "right", "table"),
    ]
    assert model_names(relations) == {
        "model.a.orders": "a.orders",
        "model.b.orders": "b.orders",
        "model.a.users.v1": "a.users.v1",
        "model.a.users.v2": "a.users.v2",
        "snapshot.a.kept": "kept",
        "right": "right",
    }


def test_ten_thousand_columns_are_read_in_a_second() -> None:
    row = (
        ROW.split("columns:\n")[1]
        + "    confidence: 0.97\n    status: suggested\n    reason: id -> x, as in 14 models\n"
    )
    text = HEAD + "columns:\n" + row * 20 + "unmapped: [a, b]\n"
    started = time.process_time()
    for _ in range(500):
        file = parse_mapping(text, "m.yml")[0]
    assert time.process_time() - started < 2.0  # 0.35 s on an idle machine
    assert isinstance(file, MappingFile)


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda b: b.decode("latin-1")))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(MappingError):
        parse_mapping(text, "m.yml")
