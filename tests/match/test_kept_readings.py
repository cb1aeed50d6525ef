"""What is kept of names is what reading them gives, and nothing that is wrong is believed."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.match import kept_readings
from dbt_schema_embed.match.kept_readings import FOLDER, MOST, KeptReadings, clear
from dbt_schema_embed.match.reading import Reader, TableReading, read_tables
from dbt_schema_embed.records import Column, Relation


def relation(name: str, *columns: str, kind: Any = "source") -> Relation:
    return Relation(name, name, kind, tuple(Column(c, "text") for c in columns), source_name="erp")


KUNDEN = relation("kunden", "kundennr", "geburtsdatum", "ort")
ORDERS = relation("orders", "order_id", "crlm", "ort")
MODEL = relation("customers", "customer_id", "birth_date", "city", kind="model")


def reading(
    cache: Path,
    sources: list[Relation],
    models: list[Relation],
    glossary: dict[str, list[tuple[str, str]]] | None = None,
) -> dict[str, TableReading]:
    kept = KeptReadings(cache, Path("project"))
    found = read_tables(sources, models, glossary=glossary, kept=kept)
    kept.save()
    return found


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The relations that were read, not found."""
    read: list[str] = []
    really = Reader.read

    def told(self: Reader, one: Relation, *beside: Any) -> TableReading:
        read.append(one.id)
        return really(self, one, *beside)

    monkeypatch.setattr(Reader, "read", told)
    return read


def test_what_is_kept_is_what_reading_gives_and_only_what_changed_is_read(tmp_path: Path, times: list[str]) -> None:
    def again(*asked: Any) -> list[str]:
        plain = read_tables(asked[0], asked[1], glossary=asked[2] if len(asked) > 2 else None)
        times.clear()
        assert reading(tmp_path, *asked) == plain
        return list(times)

    assert again([KUNDEN, ORDERS], [MODEL]) == ["customers", "kunden", "orders"]
    assert again([KUNDEN, ORDERS], [MODEL]) == []
    assert again([ORDERS, KUNDEN], [MODEL]) == ["orders", "kunden"]  # heard in another order
    wider = relation("customers", "customer_id", "birth_date", "city", "city_id", kind="model")
    assert again([ORDERS, KUNDEN], [wider]) == ["customers"]  # no new word
    assert again([ORDERS, KUNDEN], [MODEL, relation("m", "hat_size", kind="model")]) == [
        "customers", "m", "orders", "kunden",
    ]  # fmt: skip
    assert again([ORDERS, KUNDEN], [MODEL], {"": [("crlm", "hat size")]}) == ["customers", "orders", "kunden"]
    typed = Relation("orders", "orders", "source", (Column("order_id", "date"),), source_name="erp")
    assert again([typed], []) == ["orders"]


@pytest.mark.parametrize("damage", ["empty", "cut", "bit", "list"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, times: list[str], damage: str) -> None:
    plain = reading(tmp_path, [KUNDEN], [MODEL])
    (file,) = (tmp_path / FOLDER).glob("*.bin")
    content = file.read_bytes()
    made = {"empty": b"", "cut": content[:-5], "list": b"\0\0\0\0\x90"}
    file.write_bytes(made.get(damage) or bytes([*content[:-9], content[-9] ^ 1, *content[-8:]]))
    times.clear()
    assert reading(tmp_path, [KUNDEN], [MODEL]) == plain
    assert times == ["customers", "kunden"]
    assert file.read_bytes() == content


@pytest.mark.parametrize("what", ["kept_readings.__version__", "kept_readings.unidata_version", "kept_readings.stamp"])
def test_what_another_version_or_other_dictionaries_kept_is_not_used(
    tmp_path: Path, times: list[str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    reading(tmp_path, [KUNDEN], [MODEL])
    times.clear()
    monkeypatch.setattr(f"dbt_schema_embed.match.{what}", (lambda: "other") if what.endswith("stamp") else "other")
    reading(tmp_path, [KUNDEN], [MODEL])
    assert times == ["customers", "kunden"]


def test_the_code_that_reads_names_is_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else an edit of it would not be seen."""
    home = tmp_path / "match"
    shutil.copytree(Path(kept_readings.__file__).parent, home)
    (tmp_path / "words.py").write_text("")
    monkeypatch.setattr(kept_readings, "__file__", str(home / "kept_readings.py"))
    before = kept_readings.package()
    assert before == kept_readings.package()
    (home / "glued.py").write_text("LONGER = True\n")
    changed = kept_readings.package()
    assert changed != before
    (tmp_path / "words.py").write_text("# other\n")
    assert kept_readings.package() != changed


def test_where_nothing_can_be_written_it_costs_only_the_time(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder should be")
    assert reading(tmp_path, [KUNDEN], [MODEL]) == read_tables([KUNDEN], [MODEL])
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER]


def test_of_two_that_write_at_once_the_last_one_stands(tmp_path: Path, times: list[str]) -> None:
    plain = reading(tmp_path, [KUNDEN], [MODEL])
    one, two = KeptReadings(tmp_path, Path("project")), KeptReadings(tmp_path, Path("project"))
    for kept, tables in ((one, [KUNDEN, ORDERS]), (two, [ORDERS])):
        read_tables(tables, [MODEL], kept=kept)
    one.save()
    two.save()
    times.clear()
    assert reading(tmp_path, [KUNDEN], [MODEL]) == plain
    assert times == ["kunden"]


def test_a_folder_that_others_may_write_to_is_neither_read_nor_written(tmp_path: Path, times: list[str]) -> None:
    reading(tmp_path, [KUNDEN], [MODEL])
    (file,) = (tmp_path / FOLDER).glob("*.bin")
    before = file.stat()
    (tmp_path / FOLDER).chmod(0o777)
    times.clear()
    reading(tmp_path, [KUNDEN, ORDERS], [MODEL])
    assert times == ["customers", "kunden", "orders"]
    assert file.stat() == before


def test_so_many_projects_have_a_file_and_clear_leaves_none(tmp_path: Path) -> None:
    for number in range(MOST + 2):
        kept = KeptReadings(tmp_path, Path(f"project{number}"))
        read_tables([KUNDEN], [], kept=kept)
        kept.save()
    assert len(list((tmp_path / FOLDER).iterdir())) == MOST
    clear(tmp_path)
    assert not list((tmp_path / FOLDER).iterdir())


def test_a_name_that_is_no_text_is_read_and_not_kept(tmp_path: Path) -> None:
    odd = relation("odd", "a\udc80b")
    assert reading(tmp_path, [odd], []) == read_tables([odd], [])
