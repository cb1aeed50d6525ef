"""`profile`: the user's own dbt looks at the rows of source tables, and we keep what it says."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.errors import ArtifactError, ConfigError, SchemaEmbedError, printable
from dbt_schema_embed.files import write_text
from dbt_schema_embed.progress import Progress
from dbt_schema_embed.read.opening import PROFILE
from dbt_schema_embed.records import Opened, Relation
from dbt_schema_embed.sensitive import hidden, without_values

if TYPE_CHECKING:
    from dbt_schema_embed.read.profiles import TableProfile

MACRO = "schema_embed_profile"
GIVE_UP = 3
"""Tables in a row that fail before the rest is left alone: the warehouse, not a table, is what fails."""

_COMPLAINT = 100_000  # characters of one


@dataclass(frozen=True, slots=True)
class DbtOptions:
    """How dbt is called, where its own defaults will not do."""

    target: str | None = None
    profiles_dir: Path | None = None
    row_limit: int | None = None  # most rows of a table to look at; None: the macro's own limit


@dataclass(slots=True)
class Profiled:
    """What dbt said of the tables: statistics, those that are not in the warehouse, those that failed and why."""

    tables: "dict[str, TableProfile]" = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    path: str = ""  # where the statistics are kept now


def profile_sources(
    opened: Opened, sources: Sequence[Relation], options: DbtOptions, progress: Progress, *, keep_values: bool
) -> Profiled:
    """Profile source tables and keep the statistics; values only with ``keep_values``.

    Raises:
        ConfigError: there is no dbt on PATH.
        SchemaEmbedError: dbt fails before it looks at any table.
    """
    from dbt_schema_embed.read.profiles import profiles_text, read_profiles, without_values

    found = run(opened.root, [source.id for source in sources], options, progress, values=keep_values)
    path = opened.scratch / PROFILE
    known: dict[str, TableProfile] = {}
    with contextlib.suppress(ArtifactError):  # an old file that is damaged is written anew
        known = read_profiles(path)
    kept = {i: t if keep_values else without_values(t) for i, t in (known | found.tables).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, profiles_text(kept), root=path.parent)
    found.path = str(path)
    return found


def with_values(
    opened: Opened, sources: Sequence[Relation], progress: Progress, told: Callable[[Iterable[str]], object]
) -> tuple[Opened, list[Relation]]:
    """The project and ``sources`` with what the warehouse holds in them, in memory only; ``told`` hears what fails.

    Raises:
        As `profile_sources`.
    """
    from dbt_schema_embed.read.profiles import with_profiles

    found = run(opened.root, [source.id for source in sources], DbtOptions(), progress, values=True)
    told([f"{table} was not profiled: {problem}" for table, problem in sorted(found.failed.items())])
    project = with_profiles(opened.project, found.tables)
    chosen = {source.id for source in sources}
    return replace(opened, project=project), [r for r in project.relations if r.id in chosen]


def run(root: Path, sources: Sequence[str], options: DbtOptions, progress: Progress, *, values: bool) -> Profiled:
    """Ask dbt about ``sources`` until each was looked at or has failed; ``values``: also for frequent values."""
    found = Profiled()
    left = sorted(sources)
    in_a_row = 0
    while left:
        progress("Profiling source tables", len(sources) - len(left), len(sources))
        seen, problem = _one_run(root, left, options, found, progress, values=values)
        open_table = next((table for table in seen if not _done(found, table)), None)
        if problem and open_table is None:
            raise SchemaEmbedError(f"dbt could not profile: {problem}", hint=_mend(problem))
        if open_table is not None:
            found.failed[open_table] = problem or "dbt stopped"
            in_a_row = in_a_row + 1 if len(seen) == 1 else 1
            if in_a_row == GIVE_UP:
                raise SchemaEmbedError(
                    f"dbt failed at {GIVE_UP} tables in a row, last at {printable(open_table)}: {problem}",
                    hint=_mend(problem),
                )
        rest = [table for table in left if table not in seen]
        if open_table is None:  # dbt came to its end
            found.failed |= dict.fromkeys(rest, "dbt said nothing about it")
            break
        left = rest
    return found


def _done(found: Profiled, table: str) -> bool:
    return table in found.tables or table in found.missing


def _one_run(
    root: Path, tables: Sequence[str], options: DbtOptions, found: Profiled, progress: Progress, *, values: bool
) -> tuple[list[str], str]:
    """One call of dbt: the tables it began with, and the last thing it complained about if it failed."""
    from dbt_schema_embed.read.profiles import Missing, Started, read_line

    seen: list[str] = []
    problem = ""
    with tempfile.TemporaryDirectory(prefix="schema-embed-") as logs:
        with _dbt(root, tables, options, logs, values=values) as process:
            assert process.stdout is not None
            for line in process.stdout:
                events, complaint = read_line(line)
                problem = complaint or problem
                for event in events:
                    if isinstance(event, Started):
                        seen.append(event.table)
                        progress(f"Profiling {printable(event.table, 80)}")
                    elif isinstance(event, Missing):
                        found.missing.append(event.table)
                    else:
                        found.tables[event.table] = event
        failed = process.returncode != 0
    if not failed:
        return seen, ""
    # Once it looks at a table, what the warehouse complains of may quote a row.
    said = without_values(problem[:_COMPLAINT]) if seen else problem[:_COMPLAINT]
    return seen, _first_words(said) or f"exit code {process.returncode}"


@contextlib.contextmanager
def _dbt(
    root: Path, tables: Sequence[str], options: DbtOptions, logs: str, *, values: bool
) -> "Iterator[subprocess.Popen[str]]":
    command = shutil.which("dbt")
    if command is None:
        raise ConfigError("there is no dbt on PATH", hint="run this in the environment where you run dbt")
    arguments = {"select": list(tables), "include_values": values}
    if options.row_limit:
        arguments["row_limit"] = options.row_limit
    call = [command, "--log-format", "json", "run-operation", MACRO, "--args", json.dumps(arguments)]
    call += ["--project-dir", "."]  # and run there: profiles.yml and paths in it may be relative
    call += ["--target", options.target] if options.target else []
    call += ["--profiles-dir", str(options.profiles_dir.absolute())] if options.profiles_dir else []
    # dbt would replace the manifest by one without compiled SQL, and write what it prints into its log. Errors only are
    # the least that both know: "none" is dbt 1's word, "off" dbt 2's.
    environment = {**os.environ, "DBT_WRITE_JSON": "false", "DBT_LOG_LEVEL_FILE": "error", "DBT_LOG_PATH": logs}
    process = subprocess.Popen(
        call, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment, cwd=root,
        text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    try:
        yield process
        process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
        if process.stdout:
            process.stdout.close()


def _first_words(problem: str) -> str:
    """The lines of dbt's complaint that say something, as one."""
    lines = [line.strip() for line in problem.splitlines() if line.strip() and not line.strip().startswith(">")]
    return printable(hidden(" ".join(lines[:3])), 300)


def _mend(problem: str) -> str:
    if MACRO in problem and "could not find a macro" in problem:
        return "add the package dbt_schema_embed to packages.yml, then run: dbt deps"
    return "does `dbt debug` work here?"
