"""Names read in English: a table of tables, and what must hold whatever they are."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_schema_embed.match.beginnings import without_beginning, without_types
from dbt_schema_embed.match.knowledge import knowledge
from dbt_schema_embed.match.names import stem
from dbt_schema_embed.match.phrases import phrase_words
from dbt_schema_embed.match.reading import Reader, read_tables
from dbt_schema_embed.records import Column, Relation
from dbt_schema_embed.words import words

TABLES = yaml.safe_load((Path(__file__).parents[1] / "fixtures/match/readings.yml").read_text("utf-8"))


def table(name: str, columns: list[str], types: str = "") -> Relation:
    kinds = types.split() or [None] * len(columns)
    return Relation(
        f"source.p.s.{name}", name, "source", tuple(Column(c, t) for c, t in zip(columns, kinds, strict=True))
    )


@pytest.mark.parametrize("name", TABLES)
def test_every_name_has_the_reading_that_a_person_gives_it(name: str) -> None:
    wanted = TABLES[name]
    found = Reader(knowledge()).read(table(name, list(wanted)))
    for (column, said), reading in zip(wanted.items(), found.columns, strict=True):
        if said == "?":
            assert reading.legible < 0.5, column
            continue
        stems = {stem(w) for w in phrase_words(said)}
        assert any({stem(w) for w in variant} == stems for variant in reading.variants), (column, reading.variants)
        assert reading.legible > 0.5, column


@pytest.mark.parametrize(
    ("names", "cores"),
    [
        ("CMCUST CMNAME CMZIP CMTERM CMST", "cust name zip term st"),
        ("kh_Id kh_Symbol kh_Uwagi kh_EMail", "id symbol uwagi email"),
        ("strLName strCity lngId dtmBorn", "lname city id born"),
        ("id name city zip", "id name city zip"),
        ("order_id order_date total status", "orderid orderdate total status"),
        ("V001 V002 V003 V004", "v001 v002 v003 v004"),
    ],
)
def test_a_beginning_that_a_table_shares_is_taken_off(names: str, cores: str) -> None:
    found = without_beginning([words(n) for n in names.split()])
    assert ["".join(core) for core in found] == cores.split()


def test_a_letter_that_says_the_type_is_taken_off_where_types_agree() -> None:
    names = "CCODCLI NDTO DALTA LBAJA CNOMBRE"
    columns = table("t", names.split(), "varchar numeric date boolean varchar").columns
    found = without_types([words(n) for n in names.split()], columns)
    assert ["".join(n) for n in found] == ["codcli", "dto", "alta", "baja", "nombre"]
    unlike = table("t", names.split(), "date date varchar varchar date").columns
    assert without_types([words(n) for n in names.split()], unlike) == [words(n) for n in names.split()]


def test_a_language_is_heard_from_the_tables_beside() -> None:
    short, long = table("a", ["Ort", "Art"]), table("b", ["Kundennummer", "Geburtsdatum", "Strasse", "Vorname"])
    assert "German" in Reader(knowledge()).read(short, [short, long]).origins


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=8, unique=True))
def test_any_names_are_read_and_their_order_does_not_matter(names: list[str]) -> None:
    reader = Reader(knowledge())
    there = reader.read(table("t", names))
    back = reader.read(table("t", names[::-1]))
    assert there.columns == back.columns[::-1]
    assert all(r.variants and 0 <= r.legible <= 1 for r in there.columns)


def test_a_glossary_goes_before_all_and_may_be_for_one_source() -> None:
    erp = Relation("source.p.erp.t", "t", "source", (Column("crlm"),), source_name="erp")
    shop = Relation("source.p.shop.t", "t", "source", (Column("crlm"),), source_name="shop")
    found = read_tables([erp, shop], [], knowledge(), {"erp": [("crlm", "hat size")]})
    assert found[erp.id].columns[0].variants[0] == ("hat", "size")
    assert found[shop.id].columns[0].variants[0] != ("hat", "size")
