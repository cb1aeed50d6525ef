"""What rivals said before is what they would say now, and is heard only while it is."""

from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.match import choose_targets, competitors, ranking, suggest
from dbt_schema_embed.match.kept_answers import KeptAnswers
from dbt_schema_embed.match.kept_readings import FOLDER
from dbt_schema_embed.records import Project, Suggestion
from tests.match.builders import embedded, shop

CHARGES, REFUNDS = "source.shop.stripe.charges", "source.shop.stripe.refunds"
PLANNED = "model.shop.stg_stripe__charges"


@pytest.fixture
def ranked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that were ranked, not remembered."""
    found: list[str] = []
    really = ranking.build_block

    def told(source: Any, *rest: Any) -> Any:
        found.append(source.relation.id)
        return really(source, *rest)

    monkeypatch.setattr(ranking, "build_block", told)
    return found


def ask(
    p: Project, cache: Path | None, table: str = CHARGES, state: object = 1, **decided: Any
) -> tuple[Suggestion, ...]:
    sources = [embedded(r) for r in competitors(p, {table})]
    models = [embedded(m) for m in choose_targets(p)]
    kept = (
        KeptAnswers(cache, Path("shop"), state, decided.get("rejected", ()), decided.get("accepted", {}))
        if cache
        else None
    )
    rows = suggest(sources, models, project=p, only={table}, kept=kept, **decided)
    if kept:
        kept.save()
    return rows


def test_what_is_remembered_changes_no_answer(tmp_path: Path, ranked: list[str]) -> None:
    p = shop()
    plain = {table: ask(p, None, table) for table in (CHARGES, REFUNDS)}
    for table, expected in ((CHARGES, [CHARGES, REFUNDS]), (CHARGES, [CHARGES]), (REFUNDS, [REFUNDS])):
        ranked.clear()
        assert ask(p, tmp_path, table) == plain[table]
        assert ranked == expected


def test_another_state_forgets_all_and_a_decision_its_own_table(tmp_path: Path, ranked: list[str]) -> None:
    p = shop()
    decided = {"accepted": {(REFUNDS, "id"): (PLANNED, "charge_id")}}
    refused = {"rejected": [(REFUNDS, "id", PLANNED, "charge_id")]}
    for state, said, expected in (
        (1, {}, [CHARGES, REFUNDS]),
        (2, {}, [CHARGES, REFUNDS]),
        (2, decided, [CHARGES, REFUNDS]),
        (2, refused, [CHARGES, REFUNDS]),
        (2, decided, [CHARGES]),
        (2, {}, [CHARGES]),
    ):
        ranked.clear()
        assert ask(p, tmp_path, state=state, **said) == ask(p, None, **said)
        assert ranked == [*expected, CHARGES, REFUNDS]


@pytest.mark.parametrize("damage", ["empty", "cut", "bit"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, ranked: list[str], damage: str) -> None:
    plain = ask(shop(), tmp_path)
    (file,) = (tmp_path / FOLDER).glob("*.voices")
    content = file.read_bytes()
    made = {"empty": b"", "cut": content[:-5]}
    file.write_bytes(made.get(damage) or bytes([*content[:-9], content[-9] ^ 1, *content[-8:]]))
    ranked.clear()
    assert ask(shop(), tmp_path) == plain
    assert ranked == [CHARGES, REFUNDS]
    assert file.read_bytes() == content


def test_a_name_that_is_no_text_is_answered_and_not_kept(tmp_path: Path) -> None:
    assert ask(shop(), tmp_path, state="a\udc80b") == ask(shop(), None)
    assert not list(tmp_path.rglob("*.voices"))
