"""Names from outside and numbers, as people see them in a terminal and in Markdown."""

import unicodedata
from collections.abc import Callable, Iterable

from dbt_schema_embed.errors import printable
from dbt_schema_embed.records import LIKELY, Suggestion, confidence_word

_KINDS = ("model", "source", "seed", "snapshot")


def short_name(unique_id: str) -> str:
    """What people call a relation: "stripe.charges" for source.shop.stripe.charges, "stg_x" for model.shop.stg_x."""
    kind, _, rest = unique_id.partition(".")
    return printable(rest.partition(".")[2] or unique_id if kind in _KINDS else unique_id, 120)


def target(suggestion: Suggestion) -> str:
    """ "stg_x.charge_id"; empty where the column maps to nothing."""
    if suggestion.model is None or suggestion.model_column is None:
        return ""
    return f"{short_name(suggestion.model)}.{printable(suggestion.model_column, 120)}"


def open_answer(suggestion: Suggestion) -> bool:
    """Whether there is something to show in a row of its own: a target that SQL does not have yet, or a new name."""
    if suggestion.model is None:
        return suggestion.proposed_name is not None
    return suggestion.status != "existing"


def reason(suggestion: Suggestion) -> str:
    """The reason; where the answer is doubtful, with the candidate that is nearly as good."""
    said = printable(suggestion.reason)
    rival = next((c for c in suggestion.candidates if c.model_column != suggestion.model_column), None)
    if suggestion.status != "suggested" or suggestion.model is None or suggestion.confidence >= LIKELY or rival is None:
        return said
    if rival.confidence < suggestion.confidence / 2 or rival.model_column in suggestion.reason:
        return said
    other = f"also fits {short_name(rival.model)}.{printable(rival.model_column, 120)}"
    return f"{said}; {other}" if said else other


def sureness(suggestion: Suggestion) -> str:
    """Confidence as a number and a word, or the word of a decision: "0.97 certain", "accepted"."""
    if suggestion.status in ("accepted", "rejected"):
        return suggestion.status
    # Rounded down: 0.999 that is shown as 1.00 claims more than is known.
    shown = int(suggestion.confidence * 100 + 1e-6) / 100
    return f"{shown:.2f} {confidence_word(suggestion.confidence)}"


def counted(rows: Iterable[Suggestion]) -> str:
    """ "12 suggested (8 certain, 3 likely, 1 doubtful), 4 already in SQL, 2 map to nothing"."""
    words = {"certain": 0, "likely": 0, "doubtful": 0}
    counts = {"suggested": 0, "accepted": 0, "already in SQL": 0, "map to nothing": 0, "proposed": 0}
    for row in rows:
        if row.status == "accepted":
            counts["accepted"] += 1
        elif row.model is None:
            counts["proposed" if row.proposed_name else "map to nothing"] += 1
        elif row.status == "existing":
            counts["already in SQL"] += 1
        else:
            counts["suggested"] += 1
            words[confidence_word(row.confidence)] += 1
    inside = ", ".join(f"{number} {word}" for word, number in words.items() if number)
    said = [f"{n} {what}" + (f" ({inside})" if what == "suggested" else "") for what, n in counts.items() if n]
    return ", ".join(said) or "no columns"


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
