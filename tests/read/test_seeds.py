"""Where a seed's rows are found, and where they are not looked for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbt_schema_embed.read.artifacts import Node, NodeConfig
from dbt_schema_embed.read.seeds import seed_rows

Make = Callable[..., Node]


def seed(**more: Any) -> Node:
    facts = {"name": "s", "resource_type": "seed", "schema": "raw", "alias": "s", "original_file_path": "seeds/s.csv"}
    return Node(**{**facts, **more})


def source(**more: Any) -> Node:
    return Node(**{"name": "t", "resource_type": "source", "schema": "raw", "identifier": "s", **more})


def put(path: Path, text: str = "a\n1\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("place", "facts"),
    [
        ("seeds/s.csv", {}),
        ("data/deep/s.csv", {"original_file_path": "data/deep/s.csv"}),
        ("data/s.csv", {"original_file_path": "data\\s.csv"}),
        ("seeds/s.csv", {"original_file_path": "integration_tests/seeds/s.csv"}),
        ("seeds/deep/s.csv", {"original_file_path": None, "path": "deep/s.csv"}),
        ("dbt_packages/pkg/seeds/s.csv", {"package_name": "pkg"}),
        ("dbt_modules/pkg/seeds/s.csv", {"package_name": "pkg"}),
    ],
)
def test_the_file_is_found(place: str, facts: dict[str, Any], tmp_path: Path) -> None:
    put(tmp_path / place)
    rows, warnings = seed_rows({"seed.p.s": seed(**facts), "source.p.v.t": source()}, tmp_path, values=True)
    assert warnings == []
    assert {i: (r.names, r.samples["a"].values) for i, r in rows.items()} == {
        "seed.p.s": (("a",), ("1",)),
        "source.p.v.t": (("a",), ("1",)),
    }


def test_the_root_path_of_old_manifests_counts_inside_the_project(tmp_path: Path) -> None:
    put(tmp_path / "vendored" / "seeds" / "s.csv")
    inside = {"seed.p.s": seed(root_path=str(tmp_path / "vendored"))}
    assert set(seed_rows(inside, tmp_path, values=True)[0]) == {"seed.p.s"}
    put(tmp_path / "outside" / "data" / "s.csv")
    project = tmp_path / "project"
    for root in (tmp_path / "outside", project / ".." / "outside"):
        away = {"seed.p.s": seed(root_path=str(root), original_file_path="data/s.csv")}
        assert seed_rows(away, project, values=True) == ({}, [])


@pytest.mark.parametrize(
    "path",
    ["../secret.csv", "/etc/secret.csv", "a/../../secret.csv", "C:\\secret.csv", "seeds/s.csv\0", "..", "", "s.txt"],
)
def test_a_manifest_leads_nowhere_outside(path: str, tmp_path: Path) -> None:
    put(tmp_path / "secret.csv")
    put(tmp_path / "project" / "s.txt")
    hostile = {"seed.p.s": seed(original_file_path=path, path=path, package_name="..")}
    assert seed_rows(hostile, tmp_path / "project", values=True) == ({}, [])


@pytest.mark.parametrize(
    ("fed", "node"),
    [
        (True, source()),
        (True, source(schema="RAW", identifier="S")),
        (True, source(database="db", relation_name='"db"."raw"."s"')),
        (True, source(identifier=None, name="s")),
        (False, source(schema="other")),
        (False, source(identifier="other")),
        (False, Node(name="s", resource_type="model", schema="raw", alias="s")),
    ],
)
def test_a_source_of_the_seeds_relation_has_its_rows(fed: bool, node: Node, tmp_path: Path) -> None:
    put(tmp_path / "seeds" / "s.csv")
    database = {"database": "db", "relation_name": '"db"."raw"."s"'} if node.database else {}
    rows, _ = seed_rows({"seed.p.s": seed(**database), "x": node}, tmp_path, values=True)
    assert ("x" in rows) is fed


def test_the_seeds_own_delimiter(tmp_path: Path) -> None:
    put(tmp_path / "seeds" / "s.csv", "a~b\n1~2\n")
    said = NodeConfig(delimiter="~")
    rows, _ = seed_rows({"seed.p.s": seed(config=said)}, tmp_path, values=True)
    assert rows["seed.p.s"].names == ("a", "b")
    odd = NodeConfig(delimiter="~~")
    assert seed_rows({"seed.p.s": seed(config=odd)}, tmp_path, values=True)[0]["seed.p.s"].names == ("a~b",)


def test_without_values_the_header_is_still_read(tmp_path: Path) -> None:
    put(tmp_path / "seeds" / "s.csv", "a,b\nsecret,1\n")
    rows, _ = seed_rows({"seed.p.s": seed()}, tmp_path, values=False)
    assert rows["seed.p.s"].names == ("a", "b")
    assert [s.values for s in rows["seed.p.s"].samples.values()] == [(), ()]


def test_an_unreadable_seed_costs_a_warning(tmp_path: Path) -> None:
    put(tmp_path / "seeds" / "s.csv", "a\0b")
    rows, warnings = seed_rows({"seed.p.s": seed()}, tmp_path, values=True)
    assert rows == {}
    assert warnings == [f"the rows of seed s are not used: {tmp_path / 'seeds' / 's.csv'} is not text"]
