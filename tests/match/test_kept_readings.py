"""What is kept of names is what reading them gives, and nothing that is wrong is believed."""

from pathlib import Path
from typing import Any

import pytest

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
