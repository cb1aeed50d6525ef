"""How many keys a review of a German table takes, by somebody who knows the right answers."""

import json
from pathlib import Path

import pytest

from dbt_schema_embed.cli.review_desk import Desk
from dbt_schema_embed.pipeline import SchemaEmbed
from dbt_schema_embed.write.mapping import read_mapping

MOST = 40
TABLE = {
    "PersNr": ("VARCHAR", "employee_id"), "Vorname": ("VARCHAR", "first_name"), "Nachname": ("VARCHAR", "last_name"),
    "GebDatum": ("DATE", "birth_date"), "Geschlecht": ("VARCHAR", "gender"), "E-Mail": ("VARCHAR", "email"),
    "Tel.": ("VARCHAR", "phone_number"), "Straße": ("VARCHAR", "street_address"), "PLZ": ("VARCHAR", "postal_code"),
    "Ort": ("VARCHAR", "city"), "Land": ("VARCHAR", "country_code"), "Eintrittsdatum": ("DATE", "hired_on"),
    "Austrittsdatum": ("DATE", "left_on"), "Abteilung": ("VARCHAR", "department"), "Gehalt": ("DECIMAL", "salary"),
    "Vorgesetzter": ("VARCHAR", "manager_id"), "Steuerklasse": ("VARCHAR", None), "Bemerkung": ("VARCHAR", None),
    "AendDat": ("TIMESTAMP", "updated_at"),
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Raw German columns, a planned model in English, and models that other sources feed."""
    shared = {"package_name": "p", "schema": "s", "config": {}}
    source = {**shared, "resource_type": "source", "unique_id": "source.p.hr.Mitarbeiter", "name": "Mitarbeiter",
              "source_name": "hr", "identifier": "Mitarbeiter", "relation_name": 's."Mitarbeiter"',
              "original_file_path": "models/s.yml",
              "columns": {n: {"name": n, "data_type": t, "quote": True} for n, (t, _) in TABLE.items()}}  # fmt: skip
    types = {target: kind for kind, target in TABLE.values() if target}
    contact = ("contact_id", "first_name", "last_name", "email", "phone_number", "city", "updated_at")
    models = {"stg_hr__employees": types, "stg_crm__contacts": dict.fromkeys(contact, "VARCHAR")}
    nodes = {}
    for name, columns in models.items():
        nodes[f"model.p.{name}"] = {
            **shared, "resource_type": "model", "unique_id": f"model.p.{name}", "name": name, "language": "sql",
            "relation_name": f"s.{name}", "original_file_path": f"models/{name}.sql", "raw_code": "-- planned",
            "columns": {n: {"name": n, "data_type": t} for n, t in columns.items()},
        }  # fmt: skip
    target = tmp_path / "target"
    target.mkdir()
    metadata = {"project_name": "p", "adapter_type": "duckdb"}
    manifest = {"metadata": metadata, "nodes": nodes, "sources": {source["unique_id"]: source}}
    (target / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "dbt_project.yml").write_text("name: p\n")
    return tmp_path


class Person:
    """Presses the fewest keys that lead to the right answers, as far as the screen shows them."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.keys = desk, list[str]()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.desk.press(key)
            self.keys.append(key)

    def right(self, column: str) -> str | None:
        return TABLE[column][1]

    def work(self) -> None:
        """Bulk where all that it says is right, then every open column, then what is settled wrongly."""
        desk = self.desk
        sure = desk.review.above(0.95, "hr.Mitarbeiter")
        if len(sure) > 1 and all(i.answer and i.answer.column == self.right(i.column) for i in sure):
            self.press("A", "enter")
        while not desk.done:
            self.decide()
        for item in desk.review.items:
            if (item.answer.column if item.answer else None) != self.right(item.column) or item.state == "rejected":
                self.press("f", *self.shortest(item.column), "enter")
                self.decide()

    def shortest(self, column: str) -> str:
        """The fewest letters that lead there from here."""
        items, at = self.desk.review.items, self.desk.at
        for size in range(1, len(column) + 1):
            for start in range(len(column) - size + 1):
                part = column[start : start + size].lower()
                ahead = [items[(at + step) % len(items)].column for step in range(1, len(items) + 1)]
                if next(name for name in ahead if part in name.lower()) == column:
                    return part
        raise AssertionError(column)

    def decide(self) -> None:
        item, right = self.desk.item, self.right(self.desk.item.column)
        others = [c.column if c.model == "stg_hr__employees" else "" for c in item.others]
        if item.answer and item.answer.model == "stg_hr__employees" and item.answer.column == right:
            self.press("a")
        elif right is None:
            self.press("0" if item.answer is None else "r")
        elif right in others:
            self.press(str(others.index(right) + 1))
        else:
            self.press("/")
            typed = 0
            while (right, "stg_hr__employees") not in [(c.column, c.model) for c in self.desk.found]:
                self.press(right[typed])
                typed += 1
            at = [c.column for c in self.desk.found].index(right)
            self.press(*["down"] * at, "enter")
        assert self.desk.mode == "look", (item.column, self.desk.mode)


def test_a_german_table_is_finished_in_forty_keys(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbt_schema_embed.extras.MEMO", ("no_such_module",))
    with SchemaEmbed() as engine:
        review = engine.review(project)
        person = Person(Desk(review))
        person.work()
    file = read_mapping(project / "schema_mappings" / "hr__Mitarbeiter.yml", "it")
    found = {row.source_column: row.model_column for row in file.columns if row.status == "accepted"}
    assert {name: column for name, column in found.items() if column} == {
        name: column for name, (_, column) in TABLE.items() if column
    }
    assert len(person.keys) <= MOST, " ".join(person.keys)
