"""Who decides, and when: what a decision in a mapping file keeps."""

import contextlib
import getpass
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from dbt_schema_embed.decide.git import git
from dbt_schema_embed.errors import ConfigError, printable

BULK = "{who}, confidence {minimum:.2f} and more"
"""How a decision about many rows at once is signed: nobody has looked at each."""


def in_bulk(signed: str) -> bool:
    """Whether a decision that is signed so was one about many rows at once."""
    return bool(re.search(r", confidence [01]\.\d\d and more", signed))


def signature(root: Path, minimum: float | None = None) -> tuple[str, str]:
    """Whose decision it is, as git knows them in ``root``, and the day; ``minimum``: of all rows so confident."""
    who = _who(root)
    day = datetime.now(UTC).date().isoformat()
    return (BULK.format(who=who, minimum=minimum) if minimum is not None else who), day


def _who(root: Path) -> str:
    if said := os.environ.get("GIT_AUTHOR_NAME", "").strip():
        return printable(said, 80)
    name = ""
    with contextlib.suppress(ConfigError):
        name = git(root, "config", "user.name").strip()
    try:
        return printable(name or getpass.getuser(), 80)
    except (OSError, KeyError):  # a container without a user
        return "somebody"
