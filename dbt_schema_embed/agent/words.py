"""What the project's files say, fit for an agent: no controls, nothing invisible, capped, in one marked place.

Whoever can write a description into a source's YAML can write to the agent. So every answer has what comes from the
project under the key ``data`` and nowhere else, and it passes through `data` here.
"""

import unicodedata
from typing import Any

_LIMITS = {"description": 240, "reason": 240, "message": 400, "hint": 400, "text": 8_000, "diff": 20_000}
"""Key -> most characters of its text."""

_LIMIT = 160
_WHOLE = ("text", "diff")
"""Keys whose lines stay lines."""

_JOINERS = "\u200c\u200d"  # many scripts need them
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str, limit: int, *, lines: bool = False) -> str:
    """``text`` without controls, marks and characters that nobody sees, at most ``limit`` characters."""
    if not lines:
        return _line(text[: limit * 8], limit)
    shown = "\n".join(_line(line, limit) for line in text[: limit * 8].splitlines())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _line(text: str, limit: int) -> str:
    seen = "".join(" " if c in "\t\r\n" else c for c in text)
    shown = "".join(c for c in seen if c in _JOINERS or unicodedata.category(c) not in _HIDDEN)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def data(value: Any, key: str = "") -> Any:
    """``value`` with every text in it cleaned, and no empty text."""
    if isinstance(value, str):
        return clean(value, _LIMITS.get(key, _LIMIT), lines=key in _WHOLE)
    if isinstance(value, dict):
        return {name: data(item, name) for name, item in value.items() if item not in ("", None)}
    return [data(item, key) for item in value] if isinstance(value, list | tuple) else value
