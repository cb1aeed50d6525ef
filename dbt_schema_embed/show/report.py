"""The report: one HTML file that opens from disk, loads nothing from anywhere and holds no sample values."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from dbt_schema_embed.errors import printable
from dbt_schema_embed.files import read_bounded

DATA_BYTES = 128 * 2**20
"""A file above this is not looked at for an earlier report."""

_DATA, _DATA_END = '<script type="application/json" id="data">', "</script>"
_PARTS = ("report.js", "report_charts.js")


def to_html(data: Mapping[str, Any]) -> str:
    """The page that shows what `report_data.report_data` made.

    Names from outside stand in it as JSON without ``<`` and reach the page as text. The policy in its head lets nothing
    but its own script and style run.
    """
    script = "\n".join(_asset(name) for name in _PARTS)
    css = _asset("report.css")
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src '{_digest(script)}'; base-uri 'none'"
    holes = {
        "policy": policy,
        "title": escape(f"Column mappings of {printable(data['project'])}"),
        "css": css,
        "data": _embedded(data),
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda hole: holes[hole[1]], _asset("report.html"))


def data_of(html: str) -> Mapping[str, Any] | None:
    """What `to_html` was given for this page; None when it is no report."""
    _, begun, rest = html.partition(_DATA)
    text, ended, _ = rest.partition(_DATA_END)
    if not begun or not ended:
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _embedded(data: Mapping[str, Any]) -> str:
    """JSON that no HTML parser takes for markup: inside a JSON string ``\\u003c`` is a ``<`` as well."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def earlier_data(path: Path) -> Mapping[str, Any] | None:
    """The data of the report that stands at ``path``; None when there is none, or something else."""
    try:
        content = read_bounded(path, DATA_BYTES) if path.is_file() else None
        return data_of(content.decode()) if content is not None else None
    except (OSError, ValueError):  # unreadable, or no text: it will be replaced, and is nothing to compare with
        return None


def _asset(name: str) -> str:
    from importlib.resources import files as package_files

    return (package_files("dbt_schema_embed.show") / name).read_text("utf-8")
