"""From raw tables to a staging model and its rows, and then the vendor changes the table: as a person lives it."""

import os
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Tool, tool
from tests.dbt.conftest import NewShop, Shop
from tests.dbt.golden import write_comparison

__all__ = ["tool"]
pytestmark = [pytest.mark.dbt, pytest.mark.model]

TABLE, MODEL = "stripe.charges", "stg_stripe__charges"
MAPPING = "schema_mappings/stripe__charges.yml"
TYPES = {
    "duckdb": {"text": "VARCHAR", "boolean": "BOOLEAN"},
    "postgres": {"text": "character varying", "boolean": "boolean"},
}
FINDINGS = """\
{mapping}:{captured}: warning: 'captured' is {text}, 'stg_stripe__charges.is_captured' is {boolean}: \
a cast fails for some values or loses a part [doubtful-types]
  make the cast in the model's SQL: then it is yours
{mapping}:{receipt}: error: the catalog has no column 'receipt_email' of 'stripe.charges', only its YAML has \
[unknown-source-column]
  remove the row, if the column is gone for good; else run: dbt docs generate
{mapping}:{unmapped}: warning: column 'outcome_type' of 'stripe.charges' is not mapped [unmapped-column]
  dbt-schema-embed suggest --write --select source:stripe.charges
1 error and 2 warnings in 1 mapping file
"""


@pytest.fixture
def shop(new_shop: NewShop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop of our own, and we stand in its folder, in its environment, with dbt on PATH."""
    shop = new_shop("story")
    profiles = shop.folder / "profiles.yml"  # the tests' dbt stays alive: it must not keep the file of the database
    profiles.write_text(profiles.read_text("utf-8").replace("type: duckdb", "type: duckdb\n      keep_open: false"))
    monkeypatch.chdir(shop.folder)
    for name, value in shop.env.items():
        monkeypatch.setenv(name, value)
    bin_folder = Path(sys.executable).parent
    if not (bin_folder / "dbt").exists():
        pytest.skip("no dbt beside this Python")
    monkeypatch.setenv("PATH", str(bin_folder), prepend=os.pathsep)
    return shop


def test_from_a_raw_table_to_a_model_and_what_happens_then(shop: Shop, tool: Tool) -> None:
    # A loader has filled the raw tables; what the project has is built and documented.
    shop.must("build")
    shop.must("docs", "generate")

    # Which raw column feeds which planned column? The rows help.
    profiled = tool("profile", "--select", TABLE, "--target", shop.target)
    assert profiled.out == "source.shop.stripe.charges: 90 rows looked at, 23 columns\n", profiled.err
    assert f"wrote {MAPPING}" in tool("suggest", "--select", TABLE, "--write").err

    # A person reads the file and finds everything right; what is accepted goes where dbt sees it.
    accept_all_by_hand(Path(MAPPING))
    assert tool("apply").err == "wrote models/staging/stripe/_stripe__sources.yml\n"

    # dbt prints the model, the person saves it: it is no plan any more.
    printed = shop.operation("schema_embed_generate_staging", "-q", source_name="stripe", table_name="charges")
    shop.staging(MODEL).write_text(printed.output)
    forget_the_plan(shop)

    # It builds, keeps its contract, passes its tests, and holds the rows of the one that was written by hand.
    built = shop.must("build", "--select", *write_comparison(shop.folder, [MODEL])).output
    assert f"PASS same_rows_{MODEL}" in built
    shop.must("docs", "generate")
    assert tool("check", "--strict").out == "no problems in 1 mapping file\n"

    # The vendor changes the table: a column more, a column less, another type.
    change_raw_tables(
        shop,
        "alter table raw_stripe.charges drop column receipt_email cascade",
        "alter table raw_stripe.charges add column outcome_type varchar",
        "alter table raw_stripe.charges alter column captured type varchar",
    )
    shop.must("docs", "generate")
    found = tool("check")
    assert found.code == 1
    assert found.out == FINDINGS.format(mapping=MAPPING, **TYPES[shop.target], **lines_of_rows())


def accept_all_by_hand(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("status: suggested") == 20
    path.write_text(text.replace("status: suggested", "status: accepted"), "utf-8")


def forget_the_plan(shop: Shop) -> None:
    """Take the tag `planned` off the model."""
    (path,) = (shop.folder / "models/staging/stripe").glob("*__models.yml")
    text = path.read_text("utf-8")
    assert "{tags: [planned], contract:" in text
    path.write_text(text.replace("{tags: [planned], contract:", "{contract:"), "utf-8")


def change_raw_tables(shop: Shop, *statements: str) -> None:
    """As the loader does it, past dbt."""
    if shop.target == "duckdb":
        import duckdb

        connection = duckdb.connect(str(shop.folder / "shop.duckdb"))
    else:
        import psycopg2

        connection = psycopg2.connect("")  # libpq's environment variables say where
        connection.autocommit = True
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    connection.close()


def lines_of_rows() -> dict[str, int]:
    """Where the rows of the mapping file stand that the findings are about."""
    lines = Path(MAPPING).read_text("utf-8").splitlines()
    starts = {"captured": "  - source_column: captured", "receipt": "  - source_column: receipt_email"}
    found = {name: lines.index(start) + 1 for name, start in starts.items()}
    return found | {"unmapped": next(i for i, line in enumerate(lines, 1) if line.startswith("unmapped:"))}
