"""Asking git about a project. A repository's own git settings may name programs (fsmonitor, filters, hooks, transports,
diff drivers): none is run, and nothing is fetched, for only objects and names are asked for and such settings are off.
"""

import os
import subprocess
from hashlib import sha1, sha256
from pathlib import Path

from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.files import inside, read_bounded

_SECONDS = 30
_OFF = ("core.fsmonitor=false", f"core.hooksPath={os.devnull}", "safe.bareRepository=explicit")
_ALONE = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat"}
_SHA1 = 40  # digits
_BYTES = 2**26  # a larger file of a project counts as changed


def git_program() -> str:
    """The user's git, "" without one. Nothing in the current folder, which may be a project of somebody else, is it."""
    program = "git.exe" if os.name == "nt" else "git"
    folders = [Path(folder) for folder in os.get_exec_path()]
    found = (folder / program for folder in folders if folder.is_absolute())
    return next((str(path) for path in found if path.is_file()), "")


def git(root: Path, *words: str) -> str:
    """What git says in ``root``.

    Raises:
        ConfigError: git is missing, or fails.
    """
    program = git_program()
    if not program:
        raise ConfigError("--changed-since needs git, which is not on PATH")
    command = [program, *(word for setting in _OFF for word in ("-c", setting)), *words]
    try:
        done = subprocess.run(
            command, cwd=root, env={**os.environ, **_ALONE}, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, ValueError, subprocess.SubprocessError) as problem:  # ValueError: a NUL in a word
        raise ConfigError(f"git cannot be run: {printable(problem)}") from None
    if done.returncode:
        said = printable(done.stderr.decode("utf-8", "replace").strip()) or "it knows no such commit"
        raise ConfigError(f"git {words[0]}: {said}", hint="name a commit or a branch that is here, e.g. origin/main")
    return done.stdout.decode("utf-8", "surrogateescape")


class Since:
    """The files below ``root``, now and where this branch left ``ref``. Files that nobody has committed yet count.

    Contents are compared here: git itself would run the filters that the repository's settings name.

    Raises:
        ConfigError: git is missing, or knows no such commit.
    """

    def __init__(self, root: Path, ref: str) -> None:
        self._root = root
        tree = git(root, "ls-tree", "-r", "-z", _base(root, ref)).split("\0")
        self._then = {name: said.split(" ")[2] for said, _, name in (line.partition("\t") for line in tree if line)}
        self._known: dict[str, bool] = {}
        self._now = set(git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")) - {""}

    def changed(self, name: str) -> bool:
        """Whether the file of that name differs, or came or went."""
        if name not in self._known:
            then = self._then.get(name)
            self._known[name] = (
                name in self._now if then is None else then not in _digests(self._root / name, self._root, len(then))
            )
        return self._known[name]

    def text(self, name: str) -> str:
        """What the file said then; raises ConfigError where there was none."""
        if name not in self._then:
            raise ConfigError(f"there was no {printable(name)}")
        return git(self._root, "cat-file", "blob", self._then[name])


def _base(root: Path, ref: str) -> str:
    """The commit where this branch left ``ref``."""
    found = git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()
    try:
        return git(root, "merge-base", found, "HEAD").strip()
    except ConfigError:  # no common history: a shallow clone
        return found


def _digests(path: Path, root: Path, digits: int) -> set[str]:
    """The names that git gives a file's content, as it stands and with the line ends that git keeps; none: no file."""
    try:
        if path.is_symlink():
            content: bytes | None = os.fsencode(os.readlink(path))  # noqa: PTH115 (a Path would drop "./")
        elif not path.is_file() or not inside(path, root):
            return set()
        else:
            content = read_bounded(path, _BYTES)
    except (OSError, ValueError):
        return set()
    if content is None:
        return set()
    made = sha1 if digits == _SHA1 else sha256  # what git names a content by
    kept = (content, content.replace(b"\r\n", b"\n"))
    return {made(b"blob %d\0" % len(some) + some, usedforsecurity=False).hexdigest() for some in kept}
