"""Whatever people and runs do to a mapping file, in any order: no decision, note, comment or written line is lost.

`make test` tries some sequences, `make sequences` 1,000. What must stay is read from the files with a plain YAML reader
before and after each step, by rules of its own.
"""

import csv
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbt_schema_embed.decide.rows import Decision, decide
from dbt_schema_embed.errors import SchemaEmbedError
from dbt_schema_embed.pipeline import SchemaEmbed
from tests.shop import with_hash_encoder, with_same_name

SEQUENCES = int(os.environ.get("SEQUENCES", "15"))
COLUMNS = ("id", "email", "phone", "first", "last", "memo")
TARGETS = ("id", "email", "phone", "full_name")
SOURCE, MODEL = "source.p.crm.people", "model.p.stg_people"
MAPPING, SQL = "schema_mappings/crm__people.yml", "models/stg_people.sql"
_HAND = re.compile(r"(?:#|--) hand-\d+")


class World:
    """A project with one source table, one planned model and one that is built, and a person who counts words."""

    def __init__(self, root: Path, engine: SchemaEmbed) -> None:
        self.root, self.engine, self.count = root, engine, 0
        self.in_sheet: set[str] = set()  # the columns that a sheet was changed about
        (root / "models").mkdir(parents=True)
        (root / "target").mkdir()
        (root / "dbt_project.yml").write_text("name: p\n")
        (root / SQL).write_text("-- planned\n")
        (root / "models" / "people.yml").write_text(
            "sources:\n  - name: crm\n    tables:\n      - name: people\nmodels:\n  - name: stg_people\n    columns:\n"
            + "".join(f"      - name: {name}\n" for name in TARGETS)
        )
        self.parse()

    @property
    def mapping(self) -> Path:
        return self.root / MAPPING

    def word(self) -> str:
        self.count += 1
        return f"hand-{self.count}"

    def parse(self) -> None:
        """The manifest, as dbt would write it now."""
        shared = {"package_name": "p", "schema": "s", "config": {}}
        model = {**shared, "resource_type": "model", "patch_path": "p://models/people.yml", "language": "sql"}
        text = (self.root / SQL).read_text("utf-8")
        planned = {**model, "unique_id": MODEL, "name": "stg_people", "relation_name": "s.stg_people",
                   "original_file_path": SQL, "columns": {n: {"name": n} for n in TARGETS}, "raw_code": text,
                   "depends_on": {"nodes": [SOURCE] if "source(" in text else []}}  # fmt: skip
        built = {**model, "unique_id": "model.p.keys", "name": "keys", "relation_name": "s.keys", "columns": {},
                 "original_file_path": "models/keys.sql", "depends_on": {"nodes": [SOURCE]},
                 "raw_code": "select memo as memo_key from {{ source('crm', 'people') }}"}  # fmt: skip
        source = {**shared, "resource_type": "source", "unique_id": SOURCE, "name": "people", "source_name": "crm",
                  "identifier": "people", "relation_name": "s.people", "original_file_path": "models/people.yml",
                  "columns": {n: {"name": n} for n in COLUMNS[:3]}}  # fmt: skip
        manifest = {"metadata": {"project_name": "p", "adapter_type": "duckdb"}, "nodes": {MODEL: planned},
                    "sources": {SOURCE: source}}  # fmt: skip
        manifest["nodes"]["model.p.keys"] = built
        (self.root / "target" / "manifest.json").write_text(json.dumps(manifest))

    def catalog(self, left_out: int | None) -> None:
        """A catalog without the column ``left_out``; None: no catalog."""
        path = self.root / "target" / "catalog.json"
        path.unlink(missing_ok=True)
        if left_out is not None:
            names = [n for i, n in enumerate(COLUMNS) if i != left_out]
            columns = {n: {"name": n, "type": "VARCHAR", "index": i} for i, n in enumerate(names)}
            path.write_text(json.dumps({"nodes": {}, "sources": {SOURCE: {"columns": columns}}}))

    # What somebody does. A step that is refused changes nothing.

    def suggest(self, left_out: int | None) -> None:
        self.catalog(left_out)
        self.engine.suggest(self.root, write=True)

    def accept(self, column: int, target: int, also: bool, noted: bool) -> None:
        pair = {} if target < 0 else {"model": "stg_people", "model_column": TARGETS[target], "also": also}
        note = {"note": self.word()} if noted else {}
        self.engine.accept("crm.people", [COLUMNS[column]], self.root, **pair, **note)

    def reject(self, column: int, target: int) -> None:
        pair = {} if target < 0 else {"model": "stg_people", "model_column": TARGETS[target]}
        self.engine.reject("crm.people", [COLUMNS[column]], self.root, **pair)

    def reopen(self, column: int) -> None:
        self.engine.decisions.decide(self.root, "crm.people", [COLUMNS[column]], "suggested")

    def join(self) -> None:
        pair = {"model": "stg_people", "model_column": "full_name"}
        self.engine.accept("crm.people", ["first", "last"], self.root, **pair, expression="first || last")

    def note(self, column: int) -> None:
        decide(self.mapping, [Decision(COLUMNS[column], note=self.word())]).write(self.root)

    def by_hand(self, path: str, place: int, behind: bool) -> None:
        """A comment on a line of its own, or at the end of one, wherever it is one."""
        file = self.root / path
        lines = file.read_text("utf-8").splitlines()
        at = place % (len(lines) + 1)
        mark = "--" if path.endswith(".sql") else "#"
        if behind and lines:
            lines[at - 1] += f"  {mark} {self.word()}"
        else:
            lines.insert(at, f"{mark} {self.word()}")
        text = "\n".join(lines) + "\n"
        if mark == "--" or _data(text) == _data(file.read_text("utf-8")):
            file.write_text(text, "utf-8")

    def status_by_hand(self, row: int, status: str) -> None:
        found = list(re.finditer(r"status: \w+", self.mapping.read_text("utf-8")))
        if found:
            match = found[row % len(found)]
            text = self.mapping.read_text("utf-8")
            self.mapping.write_text(f"{text[: match.start()]}status: {status}{text[match.end() :]}", "utf-8")

    def stage(self) -> None:
        self.engine.stage("crm.people", self.root, model="stg_people")

    def sheet(self, row: int, status: str, noted: bool) -> None:
        path = self.root / "sheet.csv"
        self.engine.decisions.export(path, self.root)
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            return
        chosen = rows[row % len(rows)]
        self.in_sheet = set(chosen["column"].split("\n"))
        chosen["status"] = status
        chosen["note"] = self.word() if noted else chosen["note"]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        found = self.engine.decisions.import_(path, self.root)
        if found.problems:
            raise SchemaEmbedError(found.problems[0])


def _data(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return object()


def names(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row.get("source_columns") or [row["source_column"]])


def rows_of(world: World) -> list[dict[str, Any]]:
    return yaml.safe_load(world.mapping.read_text("utf-8")).get("columns") or [] if world.mapping.exists() else []


def hand_words(path: Path) -> Counter[str]:
    return Counter(_HAND.findall(path.read_text("utf-8"))) if path.exists() else Counter()


DECIDED = ("accepted", "rejected")
RUNS = ("suggest", "stage", "by_hand", "parse")
"""Steps in which nobody decides anything."""
STATUS = st.sampled_from(["suggested", "accepted", "rejected"])
column, target = st.integers(0, len(COLUMNS) - 1), st.integers(-1, len(TARGETS) - 1)
STEPS = st.one_of(
    st.tuples(st.just("suggest"), st.sampled_from([None, -1, 0, 2, 5])),
    st.tuples(st.just("accept"), column, target, st.booleans(), st.booleans()),
    st.tuples(st.just("reject"), column, target),
    st.tuples(st.just("reopen"), column),
    st.tuples(st.just("join")),
    st.tuples(st.just("note"), column),
    st.tuples(st.just("by_hand"), st.sampled_from([MAPPING, MAPPING, SQL]), st.integers(0, 60), st.booleans()),
    st.tuples(st.just("status_by_hand"), st.integers(0, 9), STATUS),
    st.tuples(st.just("stage")),
    st.tuples(st.just("parse")),
    st.tuples(st.just("sheet"), st.integers(0, 9), STATUS, st.booleans()),
)


def touched(step: tuple[Any, ...], before: list[dict[str, Any]], world: World) -> set[str]:
    """The columns that a step may decide about."""
    name = step[0]
    if name in RUNS:
        return set()
    if name == "status_by_hand":  # that is not us
        return set(COLUMNS)
    own = {"join": {"first", "last"}, "sheet": world.in_sheet}.get(name) or {COLUMNS[step[1]]}
    return own | {n for row in before for n in names(row) if own & set(names(row))}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SchemaEmbed]:
    with pytest.MonkeyPatch.context() as patch:
        with_same_name(patch)
        with_hash_encoder(patch, tmp_path_factory.mktemp("memo"))
        with SchemaEmbed() as made:
            yield made


@settings(max_examples=SEQUENCES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=SEQUENCES < 100)
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
def test_no_sequence_of_steps_loses_what_people_wrote(
    engine: SchemaEmbed, steps: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = World(tmp_path_factory.mktemp("world") / "p", engine)
    world.suggest(-1)
    for step in steps:
        rows, texts = rows_of(world), [(world.root / p).read_text("utf-8") for p in (MAPPING, SQL)]
        words = [hand_words(world.root / p) for p in (MAPPING, SQL)]
        refused = False
        try:
            getattr(world, step[0])(*step[1:])
        except SchemaEmbedError:
            refused = True
        if refused:
            assert [(world.root / p).read_text("utf-8") for p in (MAPPING, SQL)] == texts
            continue
        now = rows_of(world)
        about = touched(step, rows, world)
        for row in rows:
            if row["status"] in DECIDED and not about & set(names(row)):
                assert row in now, (step, row)
        assert [r for r in now if r["status"] in DECIDED and not about & set(names(r)) and r not in rows] == []
        notes = Counter(row["note"] for row in rows if row.get("note"))
        kept = Counter(row["note"] for row in now if row.get("note"))
        replaced = 1 if step[0] in ("note", "accept", "sheet") else 0  # a note may take the place of another
        assert sum((notes - kept).values()) <= replaced, step
        comments = [hand_words(world.root / p) for p in (MAPPING, SQL)]
        assert words[0] - comments[0] == Counter(), step
        assert words[1] - comments[1] == Counter(), step
        _no_column_is_lost(texts[0], world)


def _no_column_is_lost(text: str, world: World) -> None:
    """What a file spoke of that is still in the table, it still speaks of."""
    catalog = world.root / "target" / "catalog.json"
    known = json.loads(catalog.read_text())["sources"][SOURCE]["columns"] if catalog.exists() else COLUMNS
    before, after = (
        {n for row in mapping.get("columns") or [] for n in names(row)}
        | {*(mapping.get("undecided") or []), *(mapping.get("unmapped") or [])}
        for mapping in (yaml.safe_load(text), yaml.safe_load(world.mapping.read_text("utf-8")))
    )
    assert before - after <= set(COLUMNS) - set(known)
