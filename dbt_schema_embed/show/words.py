"""Names from outside and numbers, as people see them in a terminal and in Markdown."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence

from dbt_schema_embed.errors import printable
from dbt_schema_embed.records import LIKELY, NO_MODEL, Evidence, Suggestion, Unfed, confidence_word, rounded

_KINDS = ("model", "source", "seed", "snapshot")


def short_name(unique_id: str) -> str:
    """What people call a relation: "stripe.charges" for source.shop.stripe.charges, "stg_x" for model.shop.stg_x."""
    kind, _, rest = unique_id.partition(".")
    return printable(rest.partition(".")[2] or unique_id if kind in _KINDS else unique_id, 120)


def number(confidence: float) -> str:
    """A confidence as people see it: "0.94" of 0.9493."""
    return f"{rounded(confidence):.2f}"


def target(suggestion: Suggestion) -> str:
    """ "stg_x.charge_id"; empty where the column maps to nothing."""
    if suggestion.model is None or suggestion.model_column is None:
        return ""
    return f"{short_name(suggestion.model)}.{printable(suggestion.model_column, 120)}"


def open_answer(suggestion: Suggestion) -> bool:
    """Whether there is something to show in a row of its own: a target that SQL lacks yet, candidates, a new name."""
    if suggestion.model is None:
        return suggestion.undecided or suggestion.proposed_name is not None
    return suggestion.status != "existing"


def reason(suggestion: Suggestion) -> str:
    """The reason; where the answer is doubtful, with the candidate that is nearly as good."""
    said = printable(suggestion.reason)
    if suggestion.notes:
        said = f"{said}; note: {printable(suggestion.notes)}" if said else f"note: {printable(suggestion.notes)}"
    rival = next((c for c in suggestion.candidates if c.model_column != suggestion.model_column), None)
    if suggestion.status != "suggested" or suggestion.model is None or suggestion.confidence >= LIKELY or rival is None:
        return said
    if rival.confidence < suggestion.confidence / 2 or rival.model_column in suggestion.reason:
        return said
    other = f"also fits {short_name(rival.model)}.{printable(rival.model_column, 120)}"
    return f"{said}; {other}" if said else other


def candidates(suggestion: Suggestion, *, whole: bool = True, limit: int = 3) -> str:
    """The best candidates of an undecided column: "code 0.41, stg_x.tx_code 0.38"; ``whole``: with their models."""
    said = []
    for c in suggestion.candidates[:limit]:
        name = printable(c.model_column, 60)
        said.append(f"{f'{short_name(c.model)}.' if whole else ''}{name} {number(c.confidence)}")
    note = f"; note: {printable(suggestion.notes)}" if suggestion.notes else ""
    return (", ".join(said) or "no candidate") + note


def unfed_words(unfed: Sequence[Unfed], limit: int = 8, show: Callable[[str], str] = str) -> str:
    """ "stg_x.birth_date (must not be empty), stg_x.city": planned columns that nothing feeds, required ones first."""
    ordered = sorted(unfed, key=lambda u: not u.required)
    said = [
        show(f"{short_name(u.model)}.{printable(u.model_column, 80)}") + (" (must not be empty)" if u.required else "")
        for u in ordered
    ]
    more = len(said) - limit
    return ", ".join(said[:limit]) + (f" and {more} more" if more > 0 else "")


def sureness(suggestion: Suggestion) -> str:
    """Confidence as a number and a word, or the word of a decision: "0.97 certain", "accepted".

    The confidence that a column feeds nothing is no measure of the candidates or the new name shown beside it.
    """
    if suggestion.status in ("accepted", "rejected"):
        return suggestion.status
    if suggestion.model is None and (suggestion.undecided or suggestion.proposed_name):
        return "undecided" if suggestion.undecided else "proposed"
    return f"{number(suggestion.confidence)} {confidence_word(suggestion.confidence)}"


_SCALES: tuple[tuple[str, tuple[str, str, str]], ...] = (
    ("name", ("the names share their words", "the names share some words", "the names share few words")),
    ("table", ("the table feeds this model", "part of the table feeds this model", "the table feeds other models")),
    ("type", ("the types fit", "the types fit roughly", "the types differ")),
    ("values", ("the values are alike", "the values are partly alike", "the values differ")),
)


_UNSCALED = {
    "meaning": "the names are near in meaning",
    "description": "what the descriptions say",
    "neighbours": "the columns beside it",
    "fed": "what feeds it today",
}
"""Kinds of evidence that are told by what they add alone."""


def evidence_words(evidence: Evidence, adds: Mapping[str, float] | None = None) -> str:
    """The headings of the evidence in words, each with its number: "the types fit (1.00)"; empty for none.

    With ``adds`` also by how much confidence falls without one: "the types fit (1.00): +0.12".
    """
    known = adds or {}
    habit = evidence.get("habit")
    said = [f"this project's habit {printable(habit, 60)}{_added(known, 'habit')}"] if habit else []
    for name, (high, middle, low) in _SCALES:
        value = evidence.get(name)
        if isinstance(value, int | float):
            words = high if value >= 0.75 else middle if value >= 0.4 else low
            said.append(f"{words} ({value:.2f}){_added(known, name)}")
    more = (f"{words}{_added(known, name)}" for name, words in _UNSCALED.items() if abs(known.get(name, 0)) >= 0.005)
    return ", ".join([*said, *more])


def _added(adds: Mapping[str, float], name: str) -> str:
    """What a kind of evidence adds: ": +0.12"; empty where that is nothing."""
    return f": {adds[name]:+.2f}" if abs(adds.get(name, 0)) >= 0.005 else ""


def counted(rows: Iterable[Suggestion]) -> str:
    """ "12 suggested (8 certain, 3 likely, 1 doubtful), 4 already in SQL, 3 undecided, 2 map to nothing"."""
    words = {"certain": 0, "likely": 0, "doubtful": 0}
    counts = {"suggested": 0, "accepted": 0, "already in SQL": 0, "undecided": 0, "map to nothing": 0, "proposed": 0}
    for row in rows:
        if row.status == "accepted":
            counts["accepted"] += 1
        elif row.model is None:
            counts["undecided" if row.undecided else "proposed" if row.proposed_name else "map to nothing"] += 1
        elif row.status == "existing":
            counts["already in SQL"] += 1
        else:
            counts["suggested"] += 1
            words[confidence_word(row.confidence)] += 1
    inside = ", ".join(f"{number} {word}" for word, number in words.items() if number)
    said = [f"{n} {what}" + (f" ({inside})" if what == "suggested" else "") for what, n in counts.items() if n]
    return ", ".join(said) or "no columns"


def to_be_made(rows: Iterable[Suggestion]) -> str:
    """The first source table whose columns wait for a model that nobody has planned; "" for none."""
    return next((short_name(row.source) for row in rows if row.proposed_model or row.reason == NO_MODEL), "")


def named(names: Iterable[str], limit: int = 5, show: Callable[[str], str] = str) -> str:
    """Names in their order, each as ``show`` writes it, cut at ``limit`` with "and N more"."""
    shown = [show(printable(name, 80)) for name in names]
    more = len(shown) - limit
    return ", ".join(shown[:limit]) + (f" and {more} more" if more > 0 else "")


def display_width(text: str) -> int:
    """Columns ``text`` takes in a terminal: wide East Asian characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def padded(text: str, width: int) -> str:
    """``text`` cut with an ellipsis or filled with blanks to exactly ``width`` columns of a terminal; "" for none."""
    if width < 1:
        return ""
    if display_width(text) <= width:
        return text + " " * (width - display_width(text))
    kept, room = "", width - 1
    for character in text:
        room -= _cells(character)
        if room < 0:
            break
        kept += character
    return padded(kept + "…", width)


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
