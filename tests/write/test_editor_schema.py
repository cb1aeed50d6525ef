"""The JSON Schema of mapping files as SchemaStore and editors want it."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from dbt_schema_embed.write.mapping import GLOSSARY_SCHEMA, SCHEMA_NAME, schema_text

SCHEMA: dict[str, Any] = json.loads(schema_text())


def keys(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that a person can write, wherever it stands."""
    for part in (schema, *schema.get("definitions", {}).values()):
        yield from part.get("properties", {}).items()


@pytest.mark.parametrize("name", [SCHEMA_NAME, GLOSSARY_SCHEMA])
def test_it_is_a_schema_of_draft_07_with_an_address_of_its_own(name: str) -> None:
    schema = json.loads(schema_text(name))
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["$id"] == f"https://json.schemastore.org/dbt-schema-embed-{name.removesuffix('.schema.json')}.json"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("kdnr, kundennr: customer number\nort: city | place\nerp:\n  crlm: credit limit\n", True),
        ("one: 1\n", True),
        ("kdnr: [customer]\n", False),
        ("erp:\n  crlm:\n    deep: er\n", False),
        ("- kdnr\n", False),
    ],
)
def test_a_glossary_is_checked_by_its_schema(text: str, right: bool) -> None:
    schema = jsonschema.Draft7Validator(json.loads(schema_text(GLOSSARY_SCHEMA)))
    assert schema.is_valid(yaml.safe_load(text)) is right


def test_every_key_says_on_hover_what_it_means() -> None:
    assert [name for name, key in keys(SCHEMA) if len(key.get("description", "")) < 20] == []


@pytest.mark.parametrize("name", [SCHEMA_NAME, GLOSSARY_SCHEMA])
def test_it_refers_to_nothing_outside(name: str) -> None:
    text = schema_text(name)
    assert '"$ref": "#/' in text
    assert text.count('"$ref"') == text.count('"$ref": "#/')
