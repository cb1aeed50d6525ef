"""A whole project is read again where anything of it changed, and only there."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dbt_schema_embed.read import project as reading
from dbt_schema_embed.read import unchanged
from dbt_schema_embed.read.opening import open_project
from dbt_schema_embed.records import Project

Read = Callable[[], tuple[Project, int]]


@pytest.fixture
def shop(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example without its seeds, whose rows are kept nowhere; no file is too young."""
    monkeypatch.setattr(unchanged, "TICK_SECONDS", -600.0)
    ignored = shutil.ignore_patterns("seeds", "schema_embed")
    return Path(shutil.copytree(root / "example_project", tmp_path / "shop", ignore=ignored))


@pytest.fixture
def read(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """The project as it is opened, and how often it was read for that; it is what reading it would give."""
    reads: list[int] = []
    really = reading.read_project
    monkeypatch.setattr(reading, "read_project", lambda *a, **k: reads.append(1) or really(*a, **k))

    def opened() -> tuple[Project, int]:
        reads.clear()
        found, times = open_project(shop, {}).project, len(reads)
        assert found == really(shop)
        return found, times

    return opened


def test_a_project_that_stands_is_read_once(read: Read, shop: Path) -> None:
    first, times = read()
    assert (times, read()) == (1, (first, 0))
    file = shop / "target/schema_embed" / unchanged.PROJECT
    assert file.with_suffix(".bin").stat().st_mode & 0o077 == 0
    assert open_project(shop, {}, "snowflake").project.name == first.name  # another question
    assert read()[1] == 1


def _more(path: Path) -> None:
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")


CHANGES: dict[str, Callable[[Path], object]] = {
    "the manifest": lambda shop: _more(shop / "target/manifest.json"),
    "a catalog that is gone": lambda shop: (shop / "target/catalog.json").unlink(),
    "the project file": lambda shop: _more(shop / "dbt_project.yml"),
    "a plan in YAML": lambda shop: (shop / "models/new.yml").write_text(
        "models:\n  - name: dim_new\n    columns:\n      - name: new_id\n"
    ),
    "a model's file": lambda shop: next(shop.glob("models/**/*.sql")).unlink(),
    "what was kept, cut": lambda shop: [
        p.write_bytes(p.read_bytes()[:-9]) for p in shop.glob("target/schema_embed/project/*.bin")
    ],
    "what was seen, unreadable": lambda shop: (shop / "target/schema_embed" / unchanged.PROJECT).write_text(
        "[" * 9_999
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_noticed(what: str, read: Read, shop: Path) -> None:
    read()
    CHANGES[what](shop)
    assert read()[1] == 1
    assert read()[1] == 0


def test_rows_of_seeds_are_kept_nowhere(root: Path, read: Read, shop: Path) -> None:
    shutil.copytree(root / "example_project" / "seeds", shop / "seeds")
    assert [read()[1] for _ in range(2)] == [1, 1]


def test_young_files_may_change_again_unseen(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unchanged, "TICK_SECONDS", 600.0)
    assert [read()[1] for _ in range(2)] == [1, 1]


def test_a_file_whose_name_is_no_text_is_no_reason_to_fail(read: Read, shop: Path) -> None:
    (shop / "models/n\udcff.yml").touch()
    assert [read()[1] for _ in range(2)] == [1, 1]
