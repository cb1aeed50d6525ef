"""Every rule says exactly what is wrong, where, and what to do next."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.check.facts import Facts
from dbt_schema_embed.check.formats import About, to_text
from dbt_schema_embed.check.rules import RULES
from dbt_schema_embed.check.run import check
from dbt_schema_embed.errors import ConfigError, MappingError
from dbt_schema_embed.records import Column, MappingFile, MappingRow, Project, Relation
from dbt_schema_embed.write.mapping import parse_mapping

TABLE = Path(__file__).resolve().parent.parent / "fixtures" / "check" / "rules.txt"


def cases() -> dict[str, tuple[str, str]]:
    """Title -> (text of a mapping file, what `check` says)."""
    found = {}
    for block in re.split(r"^#### (?!says)", TABLE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, body = block.partition("\n")
        text, _, says = body.partition("#### says\n")
        found[title] = (text, says.rstrip("\n") + "\n")
    return found


CASES = cases()


@pytest.mark.parametrize("title", CASES)
def test_what_is_said(check_text: Any, title: str) -> None:
    text, says = CASES[title]
    assert to_text(check_text(text), About(files=1)) == says


def test_every_rule_is_in_the_table_or_below() -> None:
    shown = {code for _, says in CASES.values() for code in re.findall(r"\[([a-z-]+)\]", says)}
    below = {"unreadable-mapping", "duplicate-mapping", "stale-manifest"}
    below |= {"lossy-cast", "bad-expression", "unfed-column", "not-in-sql", "undecided-columns"}
    assert shown | below == {rule.code for rule in RULES}
    assert not shown & below
    assert all(re.fullmatch(r"[A-Z].+\.", rule.summary) for rule in RULES)
    assert [rule.code for rule in RULES] == [rule.find.__name__.replace("_", "-") for rule in RULES]


def test_files_that_could_not_be_read(project: Project) -> None:
    error = MappingError("it is empty", path="m/x.yml", line=3, hint="remove it")
    (problem,) = check(project, [], [error])
    assert to_text([problem], About(files=0)) == (
        "m/x.yml:3: error: it is empty [unreadable-mapping]\n  remove it\n1 error in 0 mapping files\n"
    )


@pytest.mark.parametrize(
    ("in_catalog", "said"),
    [
        (
            True,
            "m/0.yml:4: error: the catalog has no column 'gone' of 's.t', only its YAML has [unknown-source-column]\n"
            "  remove the row, if the column is gone for good; else run: dbt docs generate\n"
            "m/0.yml:6: error: 's.t' has no column 'other' [unknown-source-column]\n"
            "  remove it, if the column is gone for good\n"
            "m/0.yml:7: warning: 's.t' has no column 'more' [unknown-source-column]\n"
            "  remove it, if the column is gone for good\n"
            "2 errors and 1 warning in 1 mapping file\n",
        ),
        (False, "no problems in 1 mapping file\n"),  # what is known in part only is not called gone
    ],
)
def test_columns_that_only_the_yaml_has(in_catalog: bool, said: str) -> None:
    columns = (Column("id"), Column("gone", absent=in_catalog), Column("never", absent=in_catalog))
    source = Relation("source.p.s.t", "t", "source", columns, source_name="s", package="p", complete=in_catalog)
    names = [("gone", "accepted"), ("never", "suggested"), ("other", "accepted"), ("more", "suggested")]
    rows = "".join(f"  - {{source_column: {name}, model: m, model_column: {name}, status: {status}}}\n"
                   for name, status in names)  # fmt: skip
    file, _ = parse_mapping(f"version: 1\nsource: s.t\ncolumns:\n{rows}unmapped: [id]\n", "m/0.yml")
    found = check(Project("p", None, (source, Relation("model.p.m", "m", "model"))), [file])
    assert to_text(found, About(files=1)) == said


def test_two_files_of_one_source(check_text: Any) -> None:
    text = "version: 1\nsource: stripe.bare\n"
    (problem,) = check_text(text, text.replace("bare", "BARE"))
    assert (problem.code, problem.path, problem.message) == (
        "duplicate-mapping",
        "m/1.yml",
        "m/0.yml maps 'stripe.BARE' too",
    )


@pytest.mark.parametrize(
    ("unread", "said"),
    [
        ((), []),
        (("a.sql", "b.sql"), ["it is older than a.sql, b.sql, which only dbt can read"]),
        (
            tuple(f"{i}.sql" for i in range(8)),
            ["it is older than 0.sql, 1.sql, 2.sql, 3.sql, 4.sql and 3 more, which only dbt can read"],
        ),
    ],
)
def test_a_manifest_older_than_what_only_dbt_can_read(
    project: Project, unread: tuple[str, ...], said: list[str]
) -> None:
    problems = check(replace(project, unread=unread), [], manifest="target/manifest.json")
    assert [p.message for p in problems] == said
    assert all((p.code, p.severity, p.hint) == ("stale-manifest", "warning", "run: dbt parse") for p in problems)
    assert check(replace(project, unread=unread), []) == []  # there is none to be stale


def test_packages_that_are_not_installed_are_not_called_unknown(project: Project) -> None:
    text = (
        "version: 1\nsource: {}\ncolumns:\n  - {{source_column: id, model: nope, model_column: x, status: accepted}}\n"
    )
    package, own = (parse_mapping(text.format(name), "m/0.yml")[0] for name in ("other.t", "stripe.charges"))
    partial = replace(project, whole=False)
    assert [p.code for p in check(project, [package])] == ["unknown-source", "unknown-model"]
    assert check(partial, [package]) == []
    assert "unknown-model" in [p.code for p in check(partial, [own])]


def test_severities(check_text: Any) -> None:
    text = CASES["types"][0]
    said = {p.code: p.severity for p in check_text(text) if p.line in (4, 5)}
    assert said == {"doubtful-types": "warning", "incompatible-types": "error"}
    off = check_text(
        text,
        severity={
            "unfed-column": "off",
            "doubtful-types": "off",
            "fed-twice": "error",
            "incompatible-types": "warning",
        },
    )
    assert {(p.code, p.severity) for p in off} == {("fed-twice", "error"), ("incompatible-types", "warning")}


@pytest.mark.parametrize(
    ("severity", "message"),
    [
        ({"unknown-modle": "off"}, "'unknown-modle' is no rule of check\n  did you mean unknown-model?"),
        ({"fed-twice": "warn"}, "'warn' is no severity for fed-twice\n  did you mean warning?"),
        ({"fed-twice": True}, "'True' is no severity for fed-twice\n  known are: error, warning, off"),
    ],
)
def test_severities_that_are_none(project: Project, severity: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(project, [], severity=severity)
    assert str(caught.value) == message


def test_hostile_names_are_harmless_in_messages() -> None:
    file = MappingFile("m.yml", "a\x1b[31m.b\u202e", (MappingRow("\nx", "m\r", "c\x00"),))
    for problem in check(Project("p", None, ()), [file]):
        assert problem.message.isprintable()
        assert problem.hint.isprintable()


def big(files: int, columns: int, wrong: str = "") -> tuple[Project, list[MappingFile]]:
    """A project with as many sources as files, and mappings that fit it when ``wrong`` is empty."""
    relations, mappings = [], []
    for i in range(files):
        names = [f"col_{i}_{j}" for j in range(columns)]
        cols = tuple(Column(name, type="integer") for name in names)
        relations.append(
            Relation(f"source.p.s.t{i}", f"t{i}", "source", cols, source_name="s", package="p", complete=True)
        )
        relations.append(Relation(f"model.p.m{i}", f"m{i}", "model", cols, package="p", complete=True))
        rows = (MappingRow(name + wrong, f"m{i}", name + wrong, status="accepted", line=4) for name in names)
        mappings.append(MappingFile(f"m/{i}.yml", f"s.t{i}", tuple(rows)))
    return Project("p", None, tuple(relations)), mappings


@pytest.mark.parametrize(("wrong", "found"), [("", 0), ("_wrong", 30_000)])
def test_ten_thousand_columns(wrong: str, found: int) -> None:
    assert len(check(*big(500, 20, wrong), severity={"unfed-column": "off"})) == found


def test_facts_are_looked_up_once(project: Project) -> None:
    facts = Facts(project, [])
    assert facts.columns(project.relations[0]) is facts.columns(project.relations[0])
    assert facts.column(project.relations[0], "LIVEMODE") == facts.column(project.relations[0], "LiveMode")


@pytest.mark.parametrize(
    ("head", "above", "behind", "below", "left"),
    [
        ("", "", "", "", ["unknown-model", "unknown-model"]),
        ("# schema-embed: ignore unknown-model\n", "", "", "", []),
        ("# schema-embed: ignore fed-twice, unknown-model\n", "", "", "", []),
        ("# schema-embed: ignore fed-twice\n", "", "", "", ["unknown-model", "unknown-model"]),
        ("", "  # schema-embed: ignore unknown-model\n", "", "", ["unknown-model"]),
        ("", "", "  # schema-embed: ignore unknown-model", "", ["unknown-model"]),
        ("", "", "", "    status: accepted  # moves soon  # schema-embed: ignore unknown-model\n", ["unknown-model"]),
        ("", "", "  # schema-embed: ignored unknown-model", "", ["unknown-model", "unknown-model"]),
    ],
)
def test_comments_that_say_what_to_ignore(
    project: Project, head: str, above: str, behind: str, below: str, left: list[str]
) -> None:
    text = (
        f"{head}version: 1\nsource: stripe.charges\ncolumns:\n{above}  - source_column: id{behind}\n    model: nope\n"
        f"    model_column: x\n{below}  - source_column: amount\n    model: nope\n    model_column: y\n"
    )
    found = check(project, [parse_mapping(text, "m/0.yml")[0]])
    assert [p.code for p in found if p.code == "unknown-model"] == left
