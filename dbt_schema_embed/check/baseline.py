"""Findings a project already had when it adopted `check`: known by fingerprint, so that only new ones are shown."""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.records import Problem

VERSION = 1
MAX_BYTES = 64 * 2**20


def fingerprint(problem: Problem) -> str:
    """16 hexadecimal digits that stay while lines move: from the code, the file and the message."""
    text = "\0".join((problem.code, problem.path, problem.message))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def baseline_text(problems: Iterable[Problem]) -> str:
    """The baseline file that silences ``problems``, sorted by file, with a line of words for each."""
    known = {fingerprint(p): f"{p.path}: {printable(p.message)} [{p.code}]" for p in problems}
    ordered = dict(sorted(known.items(), key=lambda item: (item[1], item[0])))
    return json.dumps({"version": VERSION, "known": ordered}, indent=2, ensure_ascii=False) + "\n"


def read_baseline(path: Path) -> frozenset[str]:
    """The fingerprints in a baseline file.

    Raises:
        ConfigError: it is missing, or not what `baseline_text` writes.
    """
    hint = "write it anew with: dbt-schema-embed check --write-baseline"
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"baseline {path} is larger than {MAX_BYTES // 2**20} MiB", hint=hint)
        data = json.loads(path.read_text("utf-8"))
    except OSError as problem:
        raise ConfigError(f"baseline {path} cannot be read: {problem.strerror}", hint=hint) from None
    except (ValueError, RecursionError):
        raise ConfigError(f"baseline {path} is not JSON", hint=hint) from None
    known = data.get("known") if isinstance(data, dict) and data.get("version") == VERSION else None
    if not isinstance(known, dict):
        raise ConfigError(f"{path} is no baseline of version {VERSION}", hint=hint)
    return frozenset(known)


def unknown_only(problems: Iterable[Problem], known: Collection[str]) -> tuple[list[Problem], Sequence[str]]:
    """The problems that are not in the baseline, and the fingerprints in it that no longer occur."""
    found = [(fingerprint(problem), problem) for problem in problems]
    gone = sorted(set(known) - {mark for mark, _ in found})
    return [problem for mark, problem in found if mark not in known], gone
