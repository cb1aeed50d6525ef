"""Reading takes time in proportion to the text: `re` holds the interpreter, and while it does no limit fires."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from dbt_schema_embed.errors import ArtifactError, WriteError
from dbt_schema_embed.read.artifacts import Node
from dbt_schema_embed.read.constraints import _REF
from dbt_schema_embed.read.own_files import read_own_files
from dbt_schema_embed.read.planned import _names
from dbt_schema_embed.read.profiles import read_line
from dbt_schema_embed.read.project import _declared_target
from dbt_schema_embed.read.relations import _prose, has_sql
from dbt_schema_embed.sql.jinja import plain_sql
from dbt_schema_embed.tables.csv_file import read_csv
from dbt_schema_embed.tables.ddl_split import defining_statements
from dbt_schema_embed.types import type_family
from dbt_schema_embed.write.merge import merged, selected
from tests.doubling import assert_linear

JINJA = [
    "{#", "{{", "{%", "{{config(", "{{ config(a)", "/*", "--", "{% set a=", "=", "{% set a", "{% set",
    "{% if is_incremental() %}",
    "{% snapshot a", "{{''", "{{ {a}", "{{{a}", "{{ a ", "{{'", "'", '"', " ", "\n", ") ", "ref(",
    "{{ ref('a') }}", "}}",
]  # fmt: skip
HEADS = ["", "{{config(", "{% set a", "{{", "{#", "{{ config()"]


def node(code: str) -> Node:
    return msgspec.convert({"resource_type": "model", "name": "m", "raw_code": code}, Node)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("piece", JINJA)
def test_sql_of_models(head: str, piece: str) -> None:
    def read(size: int) -> None:
        code = head + piece * (size // len(piece)) + "x"
        has_sql(node(code))
        plain_sql(code)
        _prose(code)

    assert_linear(read, 60_000)


@pytest.mark.parametrize(
    "piece",
    ["copy from stdin ", "copy a from stdin\n", "copy from", "from ", "$a$", "$a", "/*", ";/*", ";/**/", "'", '"', "`",
     "create ", "alter ", " ", "\n", " \n", "(", "--", "create table a (b int);", "go\n"],
)  # fmt: skip
@pytest.mark.parametrize("head", ["", "copy ", "create table a (b "])
def test_dumps(head: str, piece: str) -> None:
    def read(size: int) -> None:
        with contextlib.suppress(ArtifactError):
            list(defining_statements(head + piece * (size // len(piece)), "it", False))

    assert_linear(read, 60_000)


@pytest.mark.parametrize("piece", [" ", "\t", " #", "x ", "{{ env_var( ", "'", "target-path:\n", "target-path: a\n"])
def test_the_project_file(tmp_path: Path, piece: str) -> None:
    def read(size: int) -> None:
        text = f"name: p\ntarget-path: target{piece * (size // len(piece))}x\n"
        (tmp_path / "dbt_project.yml").write_text(text)
        _declared_target(tmp_path)

    assert_linear(read, 200_000)


@pytest.mark.parametrize(
    "piece", ["{{config(", "{{config( enabled", "{{", "{% snapshot ", "- ", " - name", "name:", "\n", " "]
)
@pytest.mark.parametrize("head", ["", "models:\n -"])
def test_a_projects_own_files(tmp_path: Path, head: str, piece: str) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: p\n")

    def read(size: int) -> None:
        text = head + piece * (size // len(piece)) + "x"
        (tmp_path / "models/m.sql").write_text(text)
        (tmp_path / "models/m.yml").write_text("models:\n -" + " " * size)
        read_own_files(tmp_path, None)
        _names(text.encode())

    assert_linear(read, 40_000)


@pytest.mark.parametrize(
    "piece", ["'\\", "'", '"', "a", "a ", "`", "]", "[a", "''", "{{", "(", ",", "a,", "select ", "select (",
     "select a from t;", "(select a from b) x,", "--", "\n"],
)  # fmt: skip
@pytest.mark.parametrize("tail", [" from t", "!", "\\ from t"])
def test_a_staging_model(tail: str, piece: str) -> None:
    def read(size: int) -> None:
        text = "select " + piece * (size // len(piece)) + tail
        selected(text)
        with contextlib.suppress(WriteError):
            merged(text, [("a", "x as a")], ["note"], ["-- x"], "m.sql", leading=False)

    assert_linear(read, 40_000)


@pytest.mark.parametrize("header", ["a,", ",", "a,a_2,", "a,b,"])
def test_equal_names_in_a_header(tmp_path: Path, header: str) -> None:
    def read(size: int) -> None:
        (tmp_path / "t.csv").write_text(header * (size // len(header)) + "z\n1\n")
        names = [column.name for column in read_csv(tmp_path / "t.csv")]
        assert len(set(names)) == len(names)

    assert_linear(read, 40_000)


@pytest.mark.parametrize(
    "function",
    [
        lambda text: read_line(f'{{"info": {{"msg": "{text}", "level": "error"}}}}'),
        lambda text: type_family(text),
        lambda text: _REF.findall(text),
    ],
)
@pytest.mark.parametrize("piece", ["<schema_embed>", "<schema_embed></schema_embed>", "nullable(", "[]", " ", "ref("])
def test_other_texts(function: Callable[[str], object], piece: str) -> None:
    assert_linear(lambda size: function(piece * (size // len(piece))), 60_000)
