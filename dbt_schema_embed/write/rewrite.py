"""A file as it should become, before anything is written."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dbt_schema_embed.errors import EditedError
from dbt_schema_embed.files import ABSENT, write_text

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The text a file should have, and what it was made from."""

    path: Path
    shown: str  # the path as people are told it
    before: str | None  # None: there is no such file yet
    text: str
    expected_hash: str = ABSENT  # of the bytes ``before`` was read from

    @property
    def changed(self) -> bool:
        """Whether `write` would change anything."""
        return self.text != self.before

    def diff(self) -> str:
        """A unified diff, empty when nothing changes; line breaks as ``\\n``."""
        old = "/dev/null" if self.before is None else f"a/{self.shown}"
        lines = difflib.unified_diff(
            (self.before or "").splitlines(), self.text.splitlines(), old, f"b/{self.shown}", lineterm=""
        )
        return "".join(f"{line}\n" for line in lines)

    def write(self, root: Path) -> bool:
        """Write the file whole, below ``root`` only; True when it changed.

        Raises:
            WriteError: somebody changed it meanwhile, or it cannot be written; see `files.write_text`.
        """
        return self.changed and write_text(self.path, self.text, root=root, expected_hash=self.expected_hash)


def written(plan: Callable[[], Rewrite], root: Path) -> Rewrite:
    """Carry out a plan that can be made anew from the file as it is, as often as somebody else is quicker.

    Raises:
        EditedError: somebody else was quicker every time. Raises as ``plan`` and `Rewrite.write`, too.
    """
    for left in reversed(range(_TRIES)):
        rewrite = plan()
        try:
            rewrite.write(root)
        except EditedError:
            if not left:
                raise
        else:
            break
    return rewrite
