"""What has been run in a project before, so that a run knows whether its vectors should be in the memo."""

import hashlib
from pathlib import Path

from dbt_schema_embed.errors import WriteError
from dbt_schema_embed.files import save

_NAME = "runs.txt"
_KEPT = 200


def asked_before(scratch: Path, asked: str) -> bool:
    """Whether this has been asked before in the project with our folder ``scratch``; it has been from now on."""
    path = scratch / _NAME
    mark = hashlib.blake2b(asked.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    try:
        known = path.read_text("ascii", "replace").split()[-_KEPT:] if path.exists() else []
        if mark not in known:
            save(path, "\n".join([*known, mark]) + "\n", root=scratch.parent)
    except (OSError, WriteError):  # a target folder nobody may write to: no reason to fail, the run is measured
        return False
    return mark in known
