"""Names read by a dictionary that is small enough to know: which languages are heard, and what each rule makes of a
name."""

import pytest
import yaml

from dbt_schema_embed.match.knowledge import GUESS, Knowledge, Listed, Origin
from dbt_schema_embed.match.reading import MOST, Reader, read_tables
from tests.match.builders import model, source
from tests.match.small import DICTIONARY, FIXTURES, line, shown, table

CASES = yaml.safe_load((FIXTURES / "small_readings.yml").read_text("utf-8"))


def names(case: dict) -> str:
    return " ".join(map(str, case["reads"]))


@pytest.mark.parametrize("case", CASES, ids=names)
def test_a_table_is_read_by_the_languages_that_it_speaks(case: dict) -> None:
    beside = [table(said, f"b{i}") for i, said in enumerate(case.get("beside", "").split("/")) if said]
    spoken, rows = shown(names(case), case.get("table", "t"), str(case.get("models", "")).split(), beside)
    assert rows == {str(name): said for name, said in case["reads"].items()}
    assert (", ".join(spoken) or "English") == case["speaks"]


@pytest.mark.parametrize("case", CASES, ids=names)
def test_legible_are_the_letters_of_known_pieces(case: dict) -> None:
    for reading in Reader(DICTIONARY).read(table(names(case))).columns:
        letters = [(len(p.text), p.known) for p in reading.parts]
        known = sum(size for size, sure in letters if sure)
        assert reading.legible == pytest.approx(known / max(1, sum(size for size, _ in letters)))
        assert 1 <= len(reading.variants) <= MOST
        assert len(set(reading.variants)) == len(reading.variants)


def test_what_an_encoder_is_told_are_readings_of_names_that_are_not_english() -> None:
    assert Reader(DICTIONARY).read(table("order_date kundennr order_no")).texts == (
        "", "customer number", "order number",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("glossary", "column", "said"),
    [
        ({"": [("ort", "hat size")]}, "ort", "ort=the glossary: hat size"),
        ({"": [("total", "grand total")]}, "total", "total=the glossary: grand total | sum | total"),
        ({"s": [("ort", "hat size")]}, "ort", "ort=the glossary: hat size"),
        ({"other": [("ort", "hat size")]}, "ort", "ort?: ort"),
        ({"": [("ort", "hat size")], "s": [("ort", "shoe size")]}, "ort",
         "ort=the glossary: hat size | shoe size"),
        ({"": [("zz", "hat"), ("orta", "size")]}, "zzorta", "zz=the glossary orta=the glossary: hat size"),
    ],
)  # fmt: skip
def test_a_projects_words_go_before_a_dictionarys(glossary: dict, column: str, said: str) -> None:
    one = table(column)
    found = read_tables([one], [], DICTIONARY, glossary)[one.id].columns[0]
    assert line(found) == said


def test_a_guess_goes_behind_everything_else() -> None:
    known = DICTIONARY.with_words([("nummer", "hat size"), ("qqzz", "hue")], GUESS)
    found = Reader(known).read(table("nummer kunde qqzz")).columns
    assert line(found[0]) == "nummer=German: number | hat size"
    assert line(found[2]) == "qqzz=the multilingual encoder: hue | colour"


def test_words_of_the_models_are_known_to_sources_and_models_are_read_without_them() -> None:
    one, target = source("t", "xqvzz_no zq ort"), model("m", "xqvzz zq xqvzzOrt")
    found = read_tables([one], [target], DICTIONARY)
    assert [line(r) for r in found[one.id].columns] == ["xqvzz no=English: xqvzz number", "zq?: zq", "ort: ort"]
    assert [r.legible for r in found[target.id].columns] == [0, 0, 0]


def test_a_long_table_is_heard_by_its_first_columns_and_a_long_source_by_its_first_tables() -> None:
    filler = " ".join(f"x{i}" for i in range(120))
    assert Reader(DICTIONARY).read(table(f"{filler} geburtsdatum rabatt")).origins == ()
    assert Reader(DICTIONARY).read(table(f"geburtsdatum {filler}")).origins == ("German",)
    short, german = table("ort"), table("geburtsdatum rabatt steuersatz kunde", "g")
    empty = [table("x1", f"e{i}") for i in range(40)]
    assert Reader(DICTIONARY).read(short, [short, german, *empty]).origins == ("German",)
    assert Reader(DICTIONARY).read(short, [short, *empty, german]).origins == ()
    assert Reader(DICTIONARY).read(short, [german]).origins == ()  # one table is no source


def test_of_systems_those_half_as_likely_as_the_first_are_heard_and_three_at_most() -> None:
    known = Knowledge((), Listed())
    for name, fields in (("A", "1234"), ("B", "5678"), ("C", "9abc"), ("D", "def"), ("E", "gh")):
        known = known.with_words([(f"zq{f}", "hat") for f in fields], Origin("system", name))

    def spoken(*fields: str) -> tuple[str, ...]:
        return Reader(known).read(table(" ".join(f"zq{f}" for f in "".join(fields)))).origins

    assert spoken("1234", "56", "9a") == ("A", "B", "C")
    assert spoken("12", "56", "9a", "de") == ("A", "B", "C")
    assert spoken("1234", "gh") == ("A", "E")
    assert spoken("1234", "g") == ("A",)
    assert spoken("12", "def") == ("D", "A")


def test_of_a_language_that_the_table_does_not_speak_no_word_is_read() -> None:
    assert line(Reader(DICTIONARY).read(table("kunde rabatt fecha")).columns[2]) == "fecha?: fecha"


@pytest.mark.parametrize("name", ["\U00018d09::", "::\U00018d09\U00018d09", "🙂🙂🙂🙂🙂", "___", "\u0301\u0301\u0301"])
@pytest.mark.parametrize("others", ["", "ort", "order_date", "kunde rabatt"])
def test_a_name_without_a_letter_that_dictionaries_know_is_read_as_it_stands(name: str, others: str) -> None:
    found = Reader(DICTIONARY).read(table(f"{others} {name}")).columns[-1]
    assert found.legible == 0
    assert not any(p.known for p in found.parts)
