"""The JSON Schema of mapping files as SchemaStore and editors want it."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema

from dbt_schema_embed.write.mapping import schema_text

SCHEMA: dict[str, Any] = json.loads(schema_text())


def keys(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that a person can write, wherever it stands."""
    for part in (schema, *schema.get("definitions", {}).values()):
        yield from part.get("properties", {}).items()


def test_it_is_a_schema_of_draft_07_with_an_address_of_its_own() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert SCHEMA["$id"].startswith("https://json.schemastore.org/dbt-schema-embed-")


def test_every_key_says_on_hover_what_it_means() -> None:
    assert [name for name, key in keys(SCHEMA) if len(key.get("description", "")) < 20] == []


def test_it_refers_to_nothing_outside() -> None:
    assert '"$ref": "#/' in schema_text()
    assert schema_text().count('"$ref"') == schema_text().count('"$ref": "#/')
