"""Colours of a terminal, by what they are to say."""

_GREEN, _YELLOW, _RED = "32", "33", "31"
_CODES = {
    **dict.fromkeys(("certain", "accepted", "ok"), _GREEN),
    **dict.fromkeys(("likely", "undecided", "proposed", "warning", "note", "missing"), _YELLOW),
    **dict.fromkeys(("doubtful", "rejected", "error", "broken"), _RED),
    "title": "1",
    "dim": "2",
}


def painted(text: str, word: str, color: bool) -> str:
    """``text`` in the colour of ``word``; as it is without ``color``."""
    return f"\x1b[{_CODES[word]}m{text}\x1b[0m" if color and text else text
