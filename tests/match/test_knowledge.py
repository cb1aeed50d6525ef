"""The dictionaries: well formed, covering, and the same packed and unpacked."""

import sys
from pathlib import Path

import pytest

import dbt_schema_embed.match
from dbt_schema_embed.match.knowledge import (
    Knowledge,
    Listed,
    Origin,
    compiled,
    fold,
    knowledge,
    packed,
    read_entries,
    spellings,
)

HOME = Path(dbt_schema_embed.match.__file__).with_name("concepts")
FILES = sorted(HOME.rglob("*.yml"))
LANGUAGES = sorted((HOME / "languages").glob("*.yml"))


def concepts() -> set[str]:
    return {m.strip() for _, right in read_entries((HOME / "english.yml").read_text("utf-8")) for m in right.split("|")}


def test_there_are_languages_and_systems_enough() -> None:
    assert len(LANGUAGES) >= 25
    assert len(list((HOME / "systems").glob("*.yml"))) >= 20
    assert len(concepts()) >= 1500


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_line_is_an_entry(file: Path) -> None:
    lines = file.read_text("utf-8").split("\n")
    assert lines[0].startswith("# "), "the first line names the language or the system"
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        left, sign, right = line.rpartition(": ")
        good = sign and not set(left + right) & set(':"') and "|" not in left
        filled = all(fold(w) for w in left.split(",")) and all(m.strip() for m in right.split("|"))
        assert good and filled, f"{file.name}:{number}: {line}"  # noqa: PT018


@pytest.mark.parametrize("file", LANGUAGES, ids=lambda f: f.stem)
def test_a_language_has_words_for_nearly_every_common_concept(file: Path) -> None:
    """The common ones are those that nine in ten languages have."""
    said = [{m.strip() for _, right in read_entries(f.read_text("utf-8")) for m in right.split("|")} for f in LANGUAGES]
    common = {c for c in concepts() if sum(c in words for words in said) >= 0.9 * len(LANGUAGES)}
    assert len(common) > 1000
    assert len(common & said[LANGUAGES.index(file)]) >= 0.9 * len(common)


@pytest.mark.parametrize(
    ("word", "plain"),
    [("Größe", "grosse"), ("ŻÓŁĆ", "zolc"), ("Дата рождения", "датарождения"), ("e-mail", "email"), ("İl", "il"),
     ("회원 번호", "회원번호"), ("数量", "数量"), ("PID.5.1", "pid51")],
)  # fmt: skip
def test_words_are_folded(word: str, plain: str) -> None:
    assert fold(word) == plain


def test_letters_that_a_keyboard_lacks_are_spelled_out_too() -> None:
    assert spellings("Größe") == ("grosse", "groesse")
    assert spellings("Name") == ("name",)


def test_the_packed_form_says_the_same_and_a_damaged_one_is_made_anew(tmp_path: Path) -> None:
    plain = compiled()
    knowledge.cache_clear()
    packed = knowledge(tmp_path)
    knowledge.cache_clear()
    again = knowledge(tmp_path)
    assert isinstance(plain.entries, dict)
    for word in [*list(plain.entries)[::97], "zzqx", ""]:
        assert packed.entries.get(word) == again.entries.get(word) == plain.entries.get(word)
    for start in ("bonif", "peremp", "geburts", "zzqx", *(word[:4] for word in list(plain.entries)[::97])):
        assert again.entries.begun(start) == plain.entries.begun(start)  # in another order it says another thing
    assert (again.origins, again.plain) == (plain.origins, plain.plain)
    file = tmp_path / "concepts.bin"
    content = bytearray(file.read_bytes())
    for damage in (b"", bytes(content[:100]), bytes(content[:-5]), bytes([*content[:-9], 0, *content[-8:]])):
        file.write_bytes(damage)
        knowledge.cache_clear()
        assert knowledge(tmp_path).entries.get("geburtsdatum") == plain.entries.get("geburtsdatum")
        assert len(file.read_bytes()) == len(content)
    knowledge.cache_clear()


def test_what_a_wheel_brings_is_read_and_nothing_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plain, built = compiled(), tmp_path / "built.bin"
    assert isinstance(plain.entries, dict)
    monkeypatch.setattr(sys.modules[Knowledge.__module__], "_BUILT", built)
    for content, kept in ((packed(), False), (packed()[:-5], True)):  # a damaged one serves nobody
        built.write_bytes(content)
        knowledge.cache_clear()
        known = knowledge(tmp_path / "memo")
        assert all(known.entries.get(word) == plain.entries[word] for word in list(plain.entries)[::97])
        assert (known.origins, known.plain) == (plain.origins, plain.plain)
        assert (tmp_path / "memo" / "concepts.bin").exists() == kept
    knowledge.cache_clear()


def test_a_packed_form_that_others_may_write_is_not_read(tmp_path: Path) -> None:
    knowledge.cache_clear()
    knowledge(tmp_path)
    (tmp_path / "concepts.bin").write_bytes(b"")
    tmp_path.chmod(0o777)
    knowledge.cache_clear()
    assert knowledge(tmp_path).senses("geburtsdatum")
    assert (tmp_path / "concepts.bin").read_bytes() == b""
    knowledge.cache_clear()


def test_a_word_cut_off_means_what_the_words_that_begin_so_agree_on() -> None:
    entries = Listed(
        {"bonificacion": "0:discount", "bonificado": "0:discount", "bonito": "0:tuna|nice", "bono": "1:bond"}
    )
    known = Knowledge((Origin("language", "Spanish"), Origin("language", "Italian")), entries)
    assert [s.meanings for s in known.begun("bonif", {0})] == [("discount",)]
    assert [s.meanings for s in known.begun("boni", {0})] == [("discount",), ("tuna",)]
    assert known.begun("bonif", {1}) == ()
    some = Knowledge(known.origins, Listed({"bonitaet": "0:credit rating", "bonitaeta": "0:a", "bonitaetb": "0:b"}))
    assert [s.meanings for s in some.begun("bonit", {0})] == [("credit rating",)]  # the others are its compounds
    some = Knowledge(known.origins, Listed({f"kart{i}": f"0:meaning {i}" for i in range(3)}))
    assert some.begun("kart", {0}) == ()


def test_a_word_without_its_vowels_means_what_the_words_of_its_consonants_agree_on() -> None:
    entries = Listed({"dogum": "0:birth", "dogumlu": "0:born", "digim": "1:other", "madde": "0:substance"})
    known = Knowledge((Origin("language", "Turkish"), Origin("language", "Italian")), entries)
    for asked in (known, known.with_words([("dugme", "button")])):
        assert [s.meanings for s in asked.vowelless("dgm", {0})] == [("birth",)]
        assert [s.meanings for s in asked.vowelless("dgm", {1})] == [("other",)]
        assert asked.vowelless("dg", {0}) == ()


def test_a_glossary_adds_to_what_is_known() -> None:
    known = Knowledge((), Listed()).with_words([("kdnr, kundennr", "customer number | client")])
    (sense,) = known.senses("kdnr")
    assert (known.origins[sense.origin].kind, sense.meanings) == ("glossary", ("customer number", "client"))
    assert known.senses("nr") == ()
