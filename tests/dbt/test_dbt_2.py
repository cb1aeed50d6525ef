"""What dbt 2 does with the package where it reaches no database: parse, ls, compile.

It cannot stand beside dbt 1 in one environment: the variable SCHEMA_EMBED_DBT_2 says where its executable is; without
it these tests skip.
"""

import os
import subprocess
from pathlib import Path

import pytest

from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.read.selection import select
from tests.dbt.conftest import accept_all, copy_example
from tests.dbt.driver import Dbt

pytestmark = pytest.mark.dbt

RELATION = "source('stripe', 'charges')"
SELECT = f"select {{{{ dbt_schema_embed.schema_embed_select({RELATION}) }}}}\nfrom {{{{ {RELATION} }}}}\n"
COMPILED = "target/compiled/shop/models/staging/stripe/stg_stripe__charges.sql"


class Project:
    """The example, its true mappings applied, a model that selects by them, and dbt 2."""

    def __init__(self, folder: Path, executable: str) -> None:
        self.folder = folder
        self._executable = executable

    def dbt(self, *args: str) -> str:
        """What a dbt 2 command prints; it must succeed."""
        done = subprocess.run(
            [self._executable, *args], cwd=self.folder, env={**os.environ, "DBT_PROFILES_DIR": str(self.folder)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def project(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    executable = os.environ.get("SCHEMA_EMBED_DBT_2")
    if not executable:
        pytest.skip("SCHEMA_EMBED_DBT_2 names no executable of dbt 2")
    folder = tmp_path_factory.mktemp("dbt-2") / "shop"
    copy_example(root, folder)
    accept_all(folder)
    (folder / "models/staging/stripe/stg_stripe__charges.sql").write_text(SELECT)
    project = Project(folder, executable)
    project.dbt("deps")
    return project


def test_it_parses_the_package_without_a_word_about_it(project: Project) -> None:
    said = project.dbt("parse")
    assert "[error]" not in said
    assert "[warning]" not in said


def test_we_read_its_manifest_and_select_what_it_lists(project: Project) -> None:
    listed = project.dbt("ls", "--select", "source:stripe.charges+1", "--resource-types", "source", "model")
    read = read_project(project.folder, lineage_of=())
    names = {line.strip().rpartition(".")[2] for line in listed.splitlines() if line.startswith(("source:", "shop."))}
    assert names == {i.rpartition(".")[2] for i in select(read, ["source:stripe.charges+1"], [])} != set()


def test_it_compiles_what_dbt_1_compiles(project: Project, dbt: Dbt) -> None:
    project.dbt("compile", "--select", "stg_stripe__charges")
    ours = (project.folder / COMPILED).read_text("utf-8")
    dbt.must(project.folder, "compile", "--select", "stg_stripe__charges", "--no-partial-parse")
    assert ours.split() == (project.folder / COMPILED).read_text("utf-8").split()
    assert "as charge_id" in ours
