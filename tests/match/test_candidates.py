"""Which columns a table is compared with."""

import pytest

from dbt_schema_embed.match import candidates
from dbt_schema_embed.match.all_words import Lexicon
from dbt_schema_embed.match.candidates import build_block
from dbt_schema_embed.match.habits import Habits
from dbt_schema_embed.match.pool import Pool
from dbt_schema_embed.match.reading import read_tables
from tests.match.builders import embedded, model, source

SMALL = [f"stg_{n}" for n in range(3)]
LARGE = [f"stg_{n}" for n in range(candidates.MODELS + 3)]


@pytest.mark.parametrize("names", [SMALL, LARGE])
@pytest.mark.parametrize("space", [1, 2**24])
def test_pairs_are_bounded_and_the_nearest_stay(names: list[str], space: int, monkeypatch: pytest.MonkeyPatch) -> None:
    table = source("wide", " ".join(f"field_{i}" for i in range(50)) + " amount currency")
    models = [model(name, f"far_{name}_a far_{name}_b") for name in names] + [model("stg_wide", "amount currency")]
    lexicon = Lexicon([table], models, read_tables([table], models))

    def found() -> set[str]:
        block = build_block(embedded(table), Pool([embedded(m) for m in models]), lexicon, Habits())
        assert block.shape == (52, len(block.targets))
        return {target.name for target in block.targets}

    whole = found()
    monkeypatch.setattr(candidates, "_SPACE", space)
    assert found() == whole
    monkeypatch.setattr(candidates, "PAIRS", 52 * 4)
    left = found()
    assert len(left) == 4
    assert {"amount", "currency"} <= left < whole
