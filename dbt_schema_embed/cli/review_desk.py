"""The state of a review and what each key does to it; knows no terminal."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from dbt_schema_embed.errors import SchemaEmbedError, printable

if TYPE_CHECKING:
    from dbt_schema_embed.decide.reviewing import Choice, Item, Review

Mode = Literal["look", "search", "note", "above", "jump", "sure", "keys"]
_USUAL_MINIMUM = "0.95"
_SHOWN = ("all", "open", "undecided", "settled")
"""What of the columns is listed and walked through, in the order of the key that changes it."""


class Desk:
    """What is on the screen: a column, a mode, what was typed so far, and a line about what happened last."""

    def __init__(self, review: "Review") -> None:
        self.review = review
        self.at = 0
        self.mode: Mode = "look"
        self.typed = ""
        self.picked = 0  # in the list that a search shows
        self.found: tuple[Choice, ...] = ()
        self.message = ""
        self.pending: Choice | None = None  # an answer to ask about once more
        first = next((i for i, item in enumerate(review.items) if item.state == "open"), None)
        self.at, self.done = first or 0, first is None
        self.over = False
        self.shown = "all"
        self._look: dict[str, Callable[[], None]] = {
            "a": self._accept, "enter": self._accept, "r": self._reject, "s": self._next, "right": self._next,
            "p": self._back, "left": self._back, "u": self._undo, "/": lambda: self._type("search"),
            "n": lambda: self._type("note", self.item.note), "A": lambda: self._type("above", _USUAL_MINIMUM),
            "o": self._reopen, "f": lambda: self._type("jump"), "0": self._nothing,
            "t": self._filter,
            "?": lambda: self._type("keys"), "q": self._quit, "escape": self._quit,
        }  # fmt: skip

    @property
    def item(self) -> "Item":
        """The column in front."""
        return self.review.items[self.at]

    @property
    def walked(self) -> "list[tuple[int, Item]]":
        """The columns that are shown, with their places."""
        return [(i, item) for i, item in enumerate(self.review.items) if self._is_shown(item)]

    def _is_shown(self, item: "Item") -> bool:
        if self.shown == "undecided":
            return item.undecided and item.state == "open"
        return self.shown == "all" or (item.state == "open") == (self.shown == "open")

    def counts(self) -> dict[str, int]:
        """How many columns are open, accepted and rejected."""
        states = [item.state for item in self.review.items]
        return {state: states.count(state) for state in ("open", "accepted", "rejected")}  # type: ignore[arg-type]

    def press(self, key: str) -> None:
        """Do what ``key`` (a character, or "enter", "escape", "backspace", "up", "down", "left", "right") does here."""
        self.message = ""
        try:
            if self.mode == "look":
                self._press_looking(key)
            elif self.mode == "keys" or key == "escape":
                self.mode = "look"
            elif key == "enter":
                self._entered()
            elif key in ("up", "down"):
                self.picked = max(0, min(len(self.found) - 1, self.picked + (1 if key == "down" else -1)))
            else:
                self._edited(key)
        except SchemaEmbedError as problem:
            self.mode = "look"
            self.message = printable(str(problem).replace("\n", " "), 300)

    def _press_looking(self, key: str) -> None:
        if self.done and key not in ("u", "p", "left", "f", "t", "q", "escape", "?"):
            return
        if key.isascii() and key.isdigit() and key != "0":
            self._choose(int(key))
        elif key in self._look:
            self._look[key]()
        elif len(key) == 1 and key.isprintable():
            self.message = f"{key} does nothing here: ? lists the keys"

    def _edited(self, key: str) -> None:
        if key == "backspace":
            self.typed = self.typed[:-1]
        elif key.isprintable() and key not in ("left", "right"):
            self.typed += key
        if self.mode == "search":
            self.picked = 0
            self.found = self.review.find(self.typed, self.item)

    def _entered(self) -> None:
        mode, self.mode = self.mode, "look"
        if mode == "search" and self.found:
            self._accept(self.found[self.picked])
        elif mode == "note":
            self.review.annotate(self.item, self.typed.strip())
            self.message = "note saved" if self.typed.strip() else "note removed"
        elif mode == "above":
            self._accept_above()
        elif mode == "jump":
            self._jump()
        elif mode == "sure":
            self._accept(self.pending, sure=True)

    @property
    def minimum(self) -> float | None:
        """The confidence that was typed, None where that is none."""
        try:
            minimum = float(self.typed)
        except ValueError:
            return None
        return minimum if 0 <= minimum <= 1 else None

    def _accept_above(self) -> None:
        minimum = self.minimum
        if minimum is None:
            self.message = f"{printable(self.typed, 20)!r} is not a number from 0 to 1"
            return
        try:
            count = self.review.accept_above(minimum, self.item.source)
        finally:  # of several files one may be saved and the next not
            if self.item.state != "open":
                self._forward()
        least = f"with a confidence of {minimum:.2f} or more"
        self.message = f"accepted {count} {least}; u takes it back" if count else f"there is no open answer {least}"

    def _type(self, mode: Mode, text: str = "") -> None:
        self.mode, self.typed, self.picked = mode, text, 0
        if mode == "search":
            self.found = self.review.find("", self.item)

    def _choose(self, number: int) -> None:
        if 1 <= number <= len(self.item.others):
            self._accept(self.item.others[number - 1])
        else:
            self.message = f"there is no answer {number} here"

    def _nothing(self) -> None:
        """Accept that the column feeds nothing, which an undecided one says of itself with this key alone."""
        if self.item.answer is not None:
            self.message = "there is an answer: r rejects it"
            return
        self._accept(sure=True)

    def _reopen(self) -> None:
        self.review.reopen(self.item)
        self.message = f"open again: {printable(self.item.column, 60)}"

    def _jump(self) -> None:
        """To the column that is called as typed, else to the next one whose name has that in it."""
        wanted, count = self.typed.strip().lower(), len(self.review.items)
        ahead = [(self.at + step) % count for step in range(1, count + 1)]
        names = {i: self.review.items[i].column.lower() for i in ahead}
        found = next((i for i in ahead if names[i] == wanted), next((i for i in ahead if wanted in names[i]), None))
        if found is None:
            self.message = f"no column is called {printable(self.typed, 40)!r}"
        else:
            self.at, self.done = found, False

    def _accept(self, choice: "Choice | None" = None, *, sure: bool = False) -> None:
        item = self.item
        goal = choice or item.answer
        if goal is None and item.undecided and not sure:
            self.message = "undecided: 1 to 5 or / choose an answer, 0 says that it feeds nothing"
            return
        if goal is not None and goal.model in item.foreign and not sure:
            self.mode, self.pending = "sure", choice
            return
        self.review.accept(item, choice)
        self._forward()
        self.message = f"accepted {_pair(item)}"

    def _reject(self) -> None:
        item = self.item
        self.review.reject(item)
        self._forward()
        self.message = f"rejected {_pair(item)}"

    def _undo(self) -> None:
        items = self.review.undo()
        if not items:
            self.message = "there is nothing to take back"
            return
        if self.item.state != "open" or len(items) == 1:  # else people stay with the column that they look at
            self.at = self.review.items.index(items[0])
        self.done = False
        more = f" and {len(items) - 1} more" if len(items) > 1 else ""
        self.message = f"taken back: {printable(items[0].column, 60)}{more}"

    def _forward(self) -> None:
        """To the next open column, of those that are shown first, those skipped before included; else to the end."""
        count = len(self.review.items)
        ahead = [(self.at + step) % count for step in range(1, count + 1)]
        still_open = [i for i in ahead if self.review.items[i].state == "open"]
        shown = (i for i in still_open if self._is_shown(self.review.items[i]))
        following = next(shown, next(iter(still_open), None))
        self.done = following is None
        self.at = self.at if following is None else following

    def _filter(self) -> None:
        """Show only some of the columns: what comes next of `_SHOWN`, empty ones left out."""
        at = _SHOWN.index(self.shown)
        for step in range(1, len(_SHOWN) + 1):
            self.shown = _SHOWN[(at + step) % len(_SHOWN)]
            if self.walked:
                break
        self.message = f"{self.shown}: {len(self.walked)} of {len(self.review.items)} columns"
        if not self._is_shown(self.item):
            self._next()

    def _next(self) -> None:
        places = [i for i, _ in self.walked] or [self.at]
        self.at = next((i for i in places if i > self.at), places[0])

    def _back(self) -> None:
        if self.done:
            self.done = False
        elif self.review.items:
            places = [i for i, _ in self.walked] or [self.at]
            self.at = next((i for i in reversed(places) if i < self.at), places[-1])

    def _quit(self) -> None:
        self.over = True


def _pair(item: "Item") -> str:
    goal = item.answer.name if item.answer else "nothing"
    return f"{printable(item.column, 60)} → {goal}"
