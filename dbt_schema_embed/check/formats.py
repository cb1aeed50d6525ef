"""Problems as text for people and in the formats that CI systems read. All are deterministic."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from dbt_schema_embed.check.baseline import fingerprint
from dbt_schema_embed.check.rules import RULES
from dbt_schema_embed.colors import painted
from dbt_schema_embed.doors import brought
from dbt_schema_embed.errors import ConfigError, printable
from dbt_schema_embed.records import Problem

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_NAME = "dbt-schema-embed"


@dataclass(frozen=True, slots=True)
class About:
    """What a format may say beside the problems."""

    files: int  # mapping files that were checked
    folder: str = ""  # the project's path below the repository's root, as annotations of code need it
    version: str = ""  # the tool's
    color: bool = False  # only counts for text

    @property
    def prefix(self) -> str:
        """What stands before a path in annotations: "" or "analytics/dbt/"."""
        return f"{self.folder.strip('/')}/" if self.folder.strip("./") else ""


def summary(problems: Sequence[Problem], files: int) -> str:
    """ "2 errors and 1 warning in 3 mapping files"."""
    errors = sum(problem.severity == "error" for problem in problems)
    counts = [_count(errors, "error"), _count(len(problems) - errors, "warning")]
    said = " and ".join(count for count in counts if not count.startswith("0 ")) or "no problems"
    return f"{said} in {_count(files, 'mapping file')}"


def to_text(problems: Sequence[Problem], about: About) -> str:
    """One line a problem, its hint below, a summary at the end."""
    lines: list[str] = []
    for problem in problems:
        word = painted(problem.severity, problem.severity, about.color)
        lines.append(f"{_place(problem)}: {word}: {_line(problem.message)} [{problem.code}]")
        if problem.hint:
            lines.append(f"  {_line(problem.hint)}")
    return "".join(f"{line}\n" for line in [*lines, summary(problems, about.files)])


def to_json(problems: Sequence[Problem], about: About) -> str:
    """``{"schema_version": 1, "files": 3, "problems": [...]}``; ``line`` is null where a whole file is meant."""
    rows = [
        {
            "code": p.code,
            "severity": p.severity,
            "message": p.message,
            "path": p.path,
            "line": p.line or None,
            "hint": p.hint,
            "fingerprint": fingerprint(p),
        }
        for p in problems
    ]
    return (
        json.dumps({"schema_version": 1, "files": about.files, "problems": rows}, indent=2, ensure_ascii=False) + "\n"
    )


def to_github(problems: Sequence[Problem], about: About) -> str:
    """Workflow commands that GitHub shows beside the lines they are about."""
    return "".join(f"{_annotation(problem, about.prefix)}\n" for problem in problems)


def to_sarif(problems: Sequence[Problem], about: About) -> str:
    """SARIF 2.1.0, as code scanning services read it."""
    rules = {rule.code: _rule(rule.code, rule.summary, rule.severity) for rule in RULES}
    for problem in problems:  # rules of other packages
        rules.setdefault(problem.code, _rule(problem.code, problem.code, problem.severity))
    codes = list(rules)
    results = [_result(problem, codes.index(problem.code), about.prefix) for problem in problems]
    driver: dict[str, Any] = {"name": _NAME, "rules": list(rules.values())}
    if about.version:
        driver["version"] = about.version
    run = {"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def to_junit(problems: Sequence[Problem], about: About) -> str:
    """JUnit XML: a test case a problem; errors fail, warnings pass with their words. No problem: a case that passes."""
    failures = sum(problem.severity == "error" for problem in problems)
    cases = [_testcase(problem) for problem in problems]
    if not cases:
        cases = [f'    <testcase classname="{_NAME}" name="{_count(about.files, "mapping file")}"/>']
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0"'
    head = f'<testsuites {counts}>\n  <testsuite name="{_NAME} check" {counts}>'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *cases, "  </testsuite>", "</testsuites>", ""])


def _testcase(problem: Problem) -> str:
    place, message, hint = _xml(_place(problem)), _xml(problem.message), _xml(problem.hint)
    body = f"{place}: {message}" + (f" ({hint})" if hint else "")
    if problem.severity == "error":
        inner = f'<failure type="{problem.code}" message="{message}">{body}</failure>'
    else:
        inner = f"<system-out>{body}</system-out>"
    name = f"{place} {problem.code}: {message}"
    return f'    <testcase classname="{_xml(problem.path)}" name="{name}">{inner}</testcase>'


def _xml(text: str) -> str:
    return escape(_line(text).translate({0xFFFE: None, 0xFFFF: None}))


def _annotation(problem: Problem, prefix: str) -> str:
    marks = {"file": prefix + problem.path, "line": str(problem.line or 1), "title": problem.code}
    properties = ",".join(f"{key}={_escaped(value, property_too=True)}" for key, value in marks.items())
    text = problem.message + (f"\n{problem.hint}" if problem.hint else "")
    return f"::{problem.severity} {properties}::{_escaped(text)}"


def _escaped(text: str, *, property_too: bool = False) -> str:
    for character in "%\r\n" + (":," if property_too else ""):
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _rule(code: str, text: str, severity: str) -> Mapping[str, Any]:
    weight: Mapping[str, Any] = {"enabled": False} if severity == "off" else {"level": severity}
    return {"id": code, "shortDescription": {"text": text}, "defaultConfiguration": weight}


def _result(problem: Problem, index: int, prefix: str) -> Mapping[str, Any]:
    location: dict[str, Any] = {
        "artifactLocation": {
            "uri": quote((prefix + problem.path).replace("\\", "/"), safe="/"),
            "uriBaseId": "%SRCROOT%",
        },
        "region": {"startLine": problem.line or 1},
    }
    return {
        "ruleId": problem.code,
        "ruleIndex": index,
        "level": problem.severity,
        "message": {"text": f"{problem.message} ({problem.hint})" if problem.hint else problem.message},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"dbtSchemaEmbed/v1": fingerprint(problem)},
    }


def _place(problem: Problem) -> str:
    return _line(problem.path) + (f":{problem.line}" if problem.line else "")


def _line(text: str) -> str:
    """``text`` on one line, without what could move a cursor."""
    return printable(text, 500)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


FORMATS: Mapping[str, Callable[[Sequence[Problem], About], str]] = {
    "text": to_text,
    "json": to_json,
    "github": to_github,
    "sarif": to_sarif,
    "junit": to_junit,
}
"""The word for --format -> what writes it, ending in a line break. Other packages bring more, see CONTRIBUTING.md."""


def formatted(
    problems: Sequence[Problem], name: str, *, files: int, folder: str = "", version: str = "", color: bool = False
) -> str:
    """``problems`` in one of `FORMATS`, or in one that another package brings; the rest as in `About`.

    Raises:
        ConfigError: there is no such format.
    """
    write = FORMATS.get(name) or brought("formats", name)
    if write is None:
        raise ConfigError(f"{printable(name)!r} is no format of check", hint=f"known are: {', '.join(FORMATS)}")
    return str(write(problems, About(files, folder, version, color)))
