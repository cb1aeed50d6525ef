"""The k-th call of the operating system fails, for every k, while files that people own are written."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dbt_schema_embed.errors import WriteError
from dbt_schema_embed.pipeline import SchemaEmbed
from tests.faults import WRITES, Faults

TABLES = ["stripe.charges", "stripe.refunds"]
Call = Callable[[SchemaEmbed, Path], object]
Files = dict[str, bytes]


def suggest(engine: SchemaEmbed, shop: Path) -> object:
    """Writes mapping files, one of which is new."""
    return engine.suggest(shop, select=TABLES, write=True)


def apply(engine: SchemaEmbed, shop: Path) -> object:
    """Writes the YAML of sources."""
    return engine.decisions.apply(shop)


def before_suggest(engine: SchemaEmbed, shop: Path) -> Path:
    """A mapping file that a person has worked in, and whose rows are out of date."""
    engine.suggest(shop, select=TABLES[:1], write=True)
    path = shop / "schema_mappings" / "stripe__charges.yml"
    text = path.read_text("utf-8").replace("status: suggested", "status: rejected\n    note: mine", 1)
    path.write_text("# mine\n" + text.replace("confidence: 0.9", "confidence: 0.8"), "utf-8")
    (shop / "schema_mappings" / "mapping.schema.json").unlink()
    return shop / "schema_mappings"


def before_apply(engine: SchemaEmbed, shop: Path) -> Path:
    """Accepted rows for two files of YAML."""
    folder = shop / "schema_mappings"
    folder.mkdir()
    for source in ("stripe.charges", "shopkeep.cust"):
        row = "{source_column: id, model: stg_stripe__charges, model_column: charge_id, status: accepted}"
        text = f"version: 1\nsource: {source}\ncolumns:\n  - {row}\n"
        (folder / f"{source.replace('.', '__')}.yml").write_text(text, "utf-8")
    return shop / "models"


def files(folder: Path) -> Files:
    """Every file below a folder, hidden ones too."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize(("before", "call", "changed"), [(before_suggest, suggest, 3), (before_apply, apply, 2)])
def test_old_or_new_files_and_the_next_run_ends_where_it_should(
    engine: SchemaEmbed, shop: Path, before: Callable[[SchemaEmbed, Path], Path], call: Call, changed: int, error: int
) -> None:
    folder = before(engine, shop)
    start = shop.parent / "start"
    shutil.copytree(folder, start)
    old = files(folder)
    call(engine, shop)
    new = files(folder)
    assert sum(new[name] != old.get(name) for name in new) == changed
    failed: list[str] = []
    for k in range(1, 200):
        shutil.rmtree(folder)
        shutil.copytree(start, folder)
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, k, error, WRITES)
            try:
                call(engine, shop)
            except WriteError as problem:
                assert all(line.isprintable() for line in str(problem).splitlines())  # noqa: PT017  k is not known
                failed.append(faults.failed)
        found = files(folder)
        if faults.failed != "unlink":
            assert set(found) <= set(new), "a temporary file is left"
        assert all(found.get(name) in (new[name], old.get(name)) for name in new), faults.failed
        assert set(old) <= set(found)
        call(engine, shop)
        assert {name: content for name, content in files(folder).items() if name in new} == new
        if not faults.failed:
            break
    else:
        pytest.fail("no run without a fault")
    assert [failed.count(name) for name in ("write", "fsync")] == [changed, 2 * changed]
    assert failed.count("open") >= 2 * changed  # and those of the locks
