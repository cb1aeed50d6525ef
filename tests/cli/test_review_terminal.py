"""A review on the screen: its lines at every size, real key strokes, and no terminal at all."""

import os
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from dbt_schema_embed.cli.review_desk import Desk
from dbt_schema_embed.cli.review_screen import screen
from dbt_schema_embed.cli.review_terminal import run_desk
from dbt_schema_embed.decide.reviewing import Choice, Item, Review
from dbt_schema_embed.show.words import display_width
from tests.cli.conftest import Tool

HOSTILE = "a\x1b[2Jb\n\u202e" + "c" * 300
CHOICES = tuple(Choice("stg_charges", f"column_{i}", "varchar", i / 20) for i in range(12))
ITEM = Item(
    source="stripe.charges", path=Path("x.yml"), column="created", type="TIMESTAMP", description="When it was made.",
    examples="2024-01-01", answer=Choice("stg_charges", "created_at", "timestamp", 0.55), sureness="0.55 doubtful",
    confidence=0.55, reason="near in meaning (0.70)", evidence="the types fit (1.00)", candidates=CHOICES,
)  # fmt: skip


def desk_of(*items: Item) -> Desk:
    return Desk(Review(items, CHOICES, Path()))


def lines(desk: Desk, width: int = 80, height: int = 24) -> list[str]:
    return ["".join(text for _, text in line).rstrip() for line in screen(desk, width, height)]


def test_the_whole_screen() -> None:
    assert lines(desk_of(ITEM)) == [
        " stripe.charges                                  1 open, 0 accepted, 0 rejected",
        "",
        "  created  TIMESTAMP",
        "  When it was made.",
        "  e.g. 2024-01-01",
        "",
        "  → stg_charges.created_at  timestamp",
        "    0.55 doubtful  near in meaning (0.70)",
        "    the types fit (1.00)",
        "",
        "  other answers",
        "  1       stg_charges.column_0  varchar",
        "  2 0.05  stg_charges.column_1  varchar",
        "  3 0.10  stg_charges.column_2  varchar",
        "  4 0.15  stg_charges.column_3  varchar",
        "  5 0.20  stg_charges.column_4  varchar",
        *[""] * 6,
        " a accept  r reject  1-5 choose  0 nothing  / search  n note  s skip  p back",
        " u undo  o open again  f find  t only some  A accept all above  ? keys  q quit",
    ]


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (200, 60)])
@pytest.mark.parametrize("mode", ["look", "search", "note", "above", "keys"])
def test_it_fits_and_shows_nothing_that_steers_a_terminal(size: tuple[int, int], mode: str) -> None:
    nasty = replace(ITEM, column=HOSTILE, description="word " * 200, note="n" * 300, evidence="fits, " * 80)
    desk = desk_of(nasty)
    desk.press({"look": "x", "search": "/", "note": "n", "above": "A", "keys": "?"}[mode])
    shown = lines(desk, *size)
    assert len(shown) == size[1]
    assert all(display_width(line) <= size[0] for line in shown)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", "".join(shown))


def test_every_answer_a_digit_chooses_can_be_seen_on_24_lines() -> None:
    full = replace(ITEM, description="word " * 200, note="a note", evidence="the types fit (1.00), " * 10)
    assert any(line.startswith("  5 ") for line in lines(desk_of(full)))


def test_nothing_open() -> None:
    assert "  No suggestion is open." in lines(desk_of())


def test_the_end() -> None:
    desk = desk_of(replace(ITEM, state="accepted"))
    desk.done = True
    assert "  1 accepted, 0 rejected." in lines(desk)


def typed(text: str, *items: Item) -> Desk:
    """A review in which ``text`` was typed on a real input."""
    desk = desk_of(*items)
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text(text)
        run_desk(desk, color=False)
    return desk


def test_key_strokes_arrive() -> None:
    desk = typed("s?xsspq", ITEM, replace(ITEM, column="other"))
    assert (desk.over, desk.item.column) == (True, "created")


def test_arrows_backspace_and_paste_arrive_in_a_search() -> None:
    desk = desk_of(ITEM)
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("/xy\x7f\x1b[200~column\x1b[201~\x1b[B\x03")
        with pytest.raises(KeyboardInterrupt):
            run_desk(desk, color=True)
    assert (desk.mode, desk.typed, desk.picked) == ("search", "xcolumn", 1)


def test_ctrl_c_stops() -> None:
    with pytest.raises(KeyboardInterrupt):
        typed("\x03", ITEM)


def test_a_signal_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Desk, "press", lambda desk, key: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        typed("s", ITEM)


def test_without_a_terminal_it_says_so(in_shop: Tool) -> None:
    done = in_shop("review")
    assert done.code == 2
    assert "review needs a terminal; without one, decide with accept and reject" in done.err
    assert not Path("schema_mappings").exists()


def test_review_as_a_command(in_shop: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("CI", "1")
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("aa\rrq")  # the second answer is in another source's model: Enter says yes
        done = in_shop("review", "--select", "stripe.charges")
    assert done.code == 0
    assert "2 accepted, 1 rejected" in done.err
    text = Path("schema_mappings/stripe__charges.yml").read_text("utf-8")
    assert (text.count("status: accepted"), text.count("status: rejected")) == (2, 1)
