"""Loader of tests/fixtures/lineage/*.sql: a query, then what its columns descend from.

    # title: a rename through a CTE
    # dialect: snowflake              (left out: postgres)
    # table: charges(id, amount)      a source; (id, ...) has more columns than are known, (...) only unknown ones
    # model: tmp = select * from charges
    select id as charge_id from tmp;
    charge_id <- charges.id renamed;

One line per output column, in order; no arrow: it descends from no source. A last line `...` says the columns may be
more. `# raw` marks a query that was never compiled. Indented lines continue the one before.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from dbt_schema_embed.sql.lineage import ModelSql, SqlFacts, TableInfo, read_sql

FOLDER = Path(__file__).parent.parent / "fixtures" / "lineage"
ANSWER = "model.p.answer"


@dataclass(frozen=True)
class SqlCase:
    """One case of a fixture file."""

    title: str
    dialect: str
    tables: dict[str, TableInfo]
    models: tuple[ModelSql, ...]  # the last is the query itself
    expected: str

    def read(self) -> SqlFacts:
        """What read_sql says, without a cache."""
        return read_sql(self.models, self.tables, self.dialect, None)


def cases(name: str) -> list[SqlCase]:
    """The cases of one file."""
    text = re.sub(r"\n[ \t]+(?=\S)", " ", (FOLDER / name).read_text("utf-8"))
    return [_case(part) for part in re.split(r"^# title:", text, flags=re.MULTILINE)[1:]]


def told(facts: SqlFacts) -> str:
    """Facts about the answer in the format of the fixture files."""
    lines = []
    for column in facts.columns.get(ANSWER, ()):
        origins = [
            f"{line.source.rpartition('.')[2]}.{line.source_column} {line.kind}"
            for line in facts.lineage
            if line.model == ANSWER and line.model_column == column
        ]
        lines.append(f"{column} <- {', '.join(origins)}" if origins else column)
    return "\n".join(lines + ["..."] * (ANSWER in facts.open))


def _case(part: str) -> SqlCase:
    title, _, rest = part.partition("\n")
    marks = [line[2:].strip() for line in rest.splitlines() if line.startswith("# ")]
    query, _, expected = "\n".join(x for x in rest.splitlines() if not x.startswith("# ")).partition(";\n")
    said = [m.partition(":")[::2] for m in marks]
    tables = dict(_table(value.strip()) for key, value in said if key == "table")
    sources = tuple(t.id for t in tables.values())
    models: list[ModelSql] = []
    for key, value in said:
        if key == "model":
            name, _, sql = value.strip().partition(" = ")
            models.append(ModelSql(f"model.p.{name}", sql, name, sources))
    parents = (*sources, *(m.id for m in models))
    models.append(ModelSql(ANSWER, query, "answer", parents, compiled="raw" not in marks))
    dialect = next((value.strip() for key, value in said if key == "dialect"), "postgres")
    return SqlCase(title.strip(), dialect, tables, tuple(models), expected.strip().removesuffix(";").strip())


def _table(text: str) -> tuple[str, TableInfo]:
    name, _, columns = text.removesuffix(")").partition("(")
    names = tuple(c.strip() for c in columns.split(",") if c.strip())
    known = tuple(n for n in names if n != "...")
    kind = "seed" if name.startswith("seed_") else "source"
    return name, TableInfo(f"{kind}.p.raw.{name.rpartition('.')[2]}", known, kind, complete="..." not in names)
