"""Short ways to make suggestions and mapping files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dbt_schema_embed.records import Suggestion
from dbt_schema_embed.write.update import update_mapping

SOURCE = "source.shop.stripe.charges"
NAMES = {"model.shop.stg_stripe__charges": "stg_stripe__charges", "model.shop.orders": "orders"}

Suggest = Callable[..., Suggestion]
Update = Callable[..., str]


@pytest.fixture
def fixtures(root: Path) -> Path:
    return root / "tests" / "fixtures" / "write"


@pytest.fixture
def suggest() -> Suggest:
    """``suggest("id", "charge_id", 0.97)``; without a target the column maps to nothing."""

    def make(column: str, target: str | None = None, confidence: float = 0.9, **more: object) -> Suggestion:
        model = str(more.pop("model", "model.shop.stg_stripe__charges")) if target else None
        return Suggestion(SOURCE, column, model, target, confidence, **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def update(tmp_path: Path) -> Update:
    """Bring charges.yml, made from the text given first, up to the suggestions; returns its new text."""

    def run(text: str | None, *rows: Suggestion) -> str:
        path = tmp_path / "charges.yml"
        if text is not None:
            path.write_bytes(text.encode())
        rewrite = update_mapping(path, rows, source="stripe.charges", names=NAMES)
        rewrite.write(tmp_path)
        return path.read_bytes().decode()

    return run
