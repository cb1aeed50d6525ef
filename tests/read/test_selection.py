"""Node selection: the nodes dbt selects, and words for what it would not."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.errors import ArtifactError, ConfigError
from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.read.selection import parts, select
from dbt_schema_embed.records import Project, Relation

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "read"
SHOP = FIXTURES / "manifests" / "dbt_1_11.json"
STAGING = ["model.shop.stg_charges", "model.shop.stg_customers", "model.shop.stg_refunds"]


@cache
def project(manifest: Path = SHOP) -> Project:
    return read_project(manifest.parent, manifest=manifest, lineage_of=(), values=False)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("stg_charges", ["model.shop.stg_charges"]),
        ("shop.staging.stripe", STAGING),
        ("staging.*", [*STAGING, "model.vendor.stg_vendor"]),
        ("source:stripe", ["source.shop.stripe.charges", "source.shop.stripe.customers"]),
        ("source:shop.store.*", ["source.shop.store.orders"]),
        ("tag:pii", ["model.shop.stg_customers", "source.shop.stripe.customers"]),
        ("tag:nightly,tag:pii", ["model.shop.stg_customers"]),
        ("+stg_charges", ["model.shop.stg_charges", "source.shop.stripe.charges"]),
        ("path:models/staging,resource_type:model", [*STAGING, "model.vendor.stg_vendor"]),
        ("models/staging/stripe/stg_charges.sql", ["model.shop.stg_charges"]),
        ("stg_charges.sql", ["model.shop.stg_charges"]),
        ("package:vendor,resource_type:model", ["model.vendor.stg_vendor"]),
        ("dim_customers", ["model.shop.dim_customers.v1", "model.shop.dim_customers.v2"]),
        ("dim_customers.v2", ["model.shop.dim_customers.v2"]),
        ("version:latest", ["model.shop.dim_customers.v2"]),
        ("config.meta.owner:fin", ["model.shop.revenue"]),
        ("config.contract.enforced:TRUE", ["model.shop.orders", "model.shop.stg_refunds"]),
        ("1+exposure:board", ["model.shop.orders", "model.shop.revenue"]),
    ],
)
def test_what_a_selection_selects(said: str, expected: list[str]) -> None:
    assert sorted(select(project(), [said], [])) == expected


def test_items_and_spaces_unite_and_exclusions_take_away() -> None:
    both = {"model.shop.stg_charges", "model.shop.orders"}
    assert select(project(), ["stg_charges", "orders"], []) == both
    assert select(project(), ["stg_charges  orders"], []) == both
    assert select(project(), ["stg_charges orders"], ["orders", "nobody"]) == both - {"model.shop.orders"}
    everything = {r.id for r in project().relations}
    assert select(project(), [], []) == select(project(), [" "], [""]) == everything
    assert select(project(), [], ["resource_type:model"]) == {i for i in everything if not i.startswith("model.")}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (["a b"], ["a", "b"]),
        (["erp.Sales Orders"], ["erp.Sales Orders"]),
        (["source:erp.sales orders+ tag:x"], ["source:erp.sales orders+", "tag:x"]),
        (["erp.Sales Orders Old erp.Sales Orders"], ["erp.Sales Orders Old", "erp.Sales Orders"]),
        (["tag:x,source:Old ERP", " "], ["tag:x,source:Old ERP"]),
    ],
)
def test_spaces_in_the_names_of_sources_part_nothing(items: list[str], expected: list[str]) -> None:
    named = [("erp", "Sales Orders"), ("erp", "Sales Orders Old"), ("Old ERP", "x"), ("erp", "a")]
    relations = tuple(Relation(f"source.p.{s}.{n}", n, "source", source_name=s) for s, n in named)
    assert list(parts(Project("p", None, relations), items)) == expected


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "stg_charge",
            "the selection 'stg_charge' selects nothing\n  near names: stg_charges",
        ),
        (
            "stripe.charges",
            "the selection 'stripe.charges' selects nothing\n"
            "  near names: source:stripe.charges, stg_charges, raw_charges",
        ),
        (
            "source:strip.charges",
            "the selection 'source:strip.charges' selects nothing\n"
            "  near names: source:stripe.charges, source:stripe, source:stripe.customers",
        ),
        ("tag:nigthly", "the selection 'tag:nigthly' selects nothing\n  near names: tag:nightly"),
        ("package:vend", "the selection 'package:vend' selects nothing\n  near names: package:vendor"),
        (
            "path:models/stagin",
            "the selection 'path:models/stagin' selects nothing\n  near names: path:models/staging, "
            "path:models/staging/stripe, path:models/staging/_vendor.yml",
        ),
        ("qqq", "the selection 'qqq' selects nothing\n  `dbt ls` lists what there is to select"),
        ("tga:x", "unknown method 'tga' in the selection 'tga:x'\n  did you mean tag:?"),
        ("zz:x", "unknown method 'zz' in the selection 'zz:x'\n  known are: access, config, exposure"),
        ("@stg_charges+", "'@stg_charges+': @ before and + behind do not go together"),
        ("tag:", "'tag:' selects by no name\n  write a name, or method:value, e.g. tag:daily"),
        ("+", "'+' selects by no name\n  write a name, or method:value, e.g. tag:daily"),
        ("a,,b", "'' selects by no name\n  write a name, or method:value, e.g. tag:daily"),
        ("source:a.b.c.d", "'source:a.b.c.d' has too many dots\n  write source:name, source:name.table"),
        ("resource_type:table", "unknown resource type 'table'\n  known are: model, source, seed, snapshot"),
        ("test_type:x", "unknown test type 'x'\n  known are: generic, singular, unit, data"),
        ("version:9", "unknown version '9'\n  known are: none, latest, old, prerelease"),
        ("state:modified", "'state:modified' compares with another manifest, which is not read here\n  let dbt list"),
        ("\x1b[31mred\u202e", "the selection '[31mred' selects nothing"),
    ],
)
def test_what_selects_nothing_is_said(said: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        select(project(), [said], [])
    assert str(caught.value).startswith(message)
    assert caught.value.exit_code == 2


def test_a_table_whose_name_has_dots_is_selected_by_its_label(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    text = (FIXTURES / "manifests" / "v12.json").read_text("utf-8")
    path.write_text(text.replace('"name": "charges"', '"name": "INFORMATION_SCHEMA.TABLES.x"'), "utf-8")
    assert select(project(path), ["source:pay.INFORMATION_SCHEMA.TABLES.x"], []) == {"source.tiny.pay.charges"}


def test_excluding_all_is_said() -> None:
    with pytest.raises(ConfigError) as caught:
        select(project(), ["orders"], ["tag:weekly"])
    assert str(caught.value) == "--exclude tag:weekly takes away all that is selected"


def test_a_manifest_that_went_away_is_said(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    shutil.copy(SHOP, path)
    gone = read_project(tmp_path, manifest=path, lineage_of=())
    path.unlink()
    with pytest.raises(ArtifactError, match="there is no manifest"):
        select(gone, ["orders"], [])


@pytest.mark.parametrize("version", ["no_version", *(f"v{n}" for n in range(1, 13))])
def test_every_schema_version_selects(version: str) -> None:
    old = project(FIXTURES / "manifests" / f"{version}.json")
    assert select(old, ["source:pay+"], []) == {"source.tiny.pay.charges", "model.tiny.stg_charges"}
    assert select(old, ["config.materialized:view,stg_refunds"], []) == {"model.tiny.stg_refunds"}
    assert "model.tiny.stg_refunds" in select(old, ["@stg_charges"], [])  # a test between them


# What dbt itself selects


def questions_in(name: str) -> list[str]:
    return (FIXTURES / "selections" / f"{name}.txt").read_text("utf-8").split()


def ask(questions: Iterable[dict[str, Any]], root: Path) -> list[list[str]]:
    text = "\n".join(json.dumps(question) for question in questions)
    command = [sys.executable, str(Path(__file__).parent / "dbt_oracle.py")]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=root, timeout=300)
    return [json.loads(line[7:]) for line in done.stdout.splitlines() if line.startswith("answer:")]


def ours(there: Project, question: dict[str, Any]) -> list[str]:
    try:
        return sorted(select(there, question["select"], question["exclude"]))
    except ConfigError as nothing:
        if "selects nothing" in nothing.message or "takes away all" in nothing.message:
            return []
        raise


@pytest.mark.dbt
def test_a_real_project_selects_as_dbt_does(tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(FIXTURES / "shop", folder)
    asked = {"project": str(folder)}
    names = questions_in("shop")
    questions: list[dict[str, Any]] = [{**asked, "select": [said], "exclude": []} for said in names]
    questions += [{**asked, "select": [], "exclude": [said]} for said in names[::7]]
    questions += [
        {**asked, "select": ["stg_charges+ tag:pii", "@regions"], "exclude": ["+revenue", "resource_type:source"]}
    ]
    answers = ask(questions, root)
    there = read_project(folder, lineage_of=())
    assert len(answers) == len(questions)
    assert sum(bool(answer) for answer in answers) > 0.95 * len(answers)
    for question, answer in zip(questions, answers, strict=True):
        assert ours(there, question) == answer, (question["select"], question["exclude"])


def same_as_dbt(manifests: dict[str, Path], root: Path) -> None:
    """No paths, for dbt looks for them on the disk; no test_name:, for dbt forgets that of tests it did not parse."""
    questions = [
        {"project": str(manifest), "select": [one], "exclude": []}
        for name, manifest in manifests.items()
        for one in questions_in(name)
    ]
    answers = ask(questions, root)
    assert len(answers) == len(questions)
    assert sum(bool(answer) for answer in answers) > 0.9 * len(answers)
    for question, answer in zip(questions, answers, strict=True):
        assert ours(project(Path(question["project"])), question) == answer, question["select"]


@pytest.mark.dbt
def test_the_example_selects_as_dbt_does(root: Path) -> None:
    same_as_dbt({"example": root / "example_project/target/manifest.json"}, root)


@pytest.mark.dbt
def test_real_manifests_select_as_dbt_does(cases: Path, root: Path) -> None:
    names = ("OHDSI+dbt-synthea", "stripe")
    same_as_dbt({name: cases / "dbt" / name / "target" / "manifest.json" for name in names}, root)
