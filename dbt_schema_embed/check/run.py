"""Rules over facts, with the severities people set."""

import math
from collections.abc import Mapping, Sequence
from typing import get_args

from dbt_schema_embed.check.facts import Facts
from dbt_schema_embed.check.rules import RULES, Rule
from dbt_schema_embed.doors import brought
from dbt_schema_embed.errors import ConfigError, MappingError, near_hint, printable
from dbt_schema_embed.records import MappingFile, Problem, Project, Severity

CODES: tuple[str, ...] = tuple(rule.code for rule in RULES)
LEVELS = (*get_args(Severity), "off")


def check(
    project: Project,
    mappings: Sequence[MappingFile],
    errors: Sequence[MappingError] = (),
    *,
    severity: Mapping[str, str] | None = None,
    manifest: str = "",
) -> list[Problem]:
    """Everything `RULES` find, sorted by file, line and code.

    ``errors`` are the mapping files that could not be read. ``severity`` turns a rule by its code into "error",
    "warning" or "off"; a rule that another package brings is run once it is named there. ``manifest`` is the path of
    the manifest. What comments in the mapping files say to ignore is left out.

    10,000 columns in 500 files take about 0.15 s.

    Raises:
        ConfigError: ``severity`` names an unknown rule or level.
    """
    levels = checked_levels(severity or {})
    facts = Facts(project, mappings, errors, manifest)
    problems: list[Problem] = []
    for rule in (*RULES, *_rules_of_others(levels)):
        level = levels.get(rule.code, rule.severity)
        if level == "off":
            continue
        for found in rule.find(facts):
            weight: Severity = "error" if level == "error" and (found.binding or rule.code in levels) else "warning"
            problems.append(Problem(rule.code, weight, found.message, found.path, found.line, found.hint))
    by_path = {file.path: file for file in mappings if file.ignored}
    left = (p for p in problems if p.path not in by_path or not _is_ignored(p, by_path[p.path]))
    return sorted(left, key=lambda p: (p.path, p.line, p.code, p.message))


def _is_ignored(problem: Problem, file: MappingFile) -> bool:
    """Whether a comment says so: one about the whole file, or one in the row or list that the problem is about."""
    lines = sorted({file.undecided_line, file.unmapped_line, *(row.line for row in file.columns)})
    end = next((line for line in lines if line > problem.line), math.inf)
    return any(rule == problem.code and (line == 0 or 0 < problem.line <= line < end) for line, rule in file.ignored)


def checked_levels(severity: Mapping[str, str]) -> Mapping[str, str]:
    """``severity``, every code and level known.

    Raises:
        ConfigError: one is not; it names the nearest.
    """
    for code, level in severity.items():
        for word, known, what in ((code, CODES, "rule of check"), (level, LEVELS, f"severity for {code}")):
            if word not in known and not (known is CODES and brought("rules", code)):
                hint = near_hint(str(word), known) or f"known are: {', '.join(known)}"
                raise ConfigError(f"{printable(word)!r} is no {what}", hint=hint)
    return severity


def _rules_of_others(levels: Mapping[str, str]) -> list[Rule]:
    """The rules that other packages bring and the settings name."""
    found = ((code, brought("rules", code)) for code in levels if code not in CODES)
    return [Rule(code, "off", find) for code, find in found if find]
