"""Progress of encoding: said before the first text is through, and counted."""

from pathlib import Path

from dbt_schema_embed.embed.memo import MemoEmbedder, ProcessStore
from dbt_schema_embed.embed.watched import Watched
from tests.embed.encoders import DIM, HashEncoder


def test_encoding_is_said_before_it_begins_and_then_counted(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    encoder = HashEncoder(chunk=2)

    def load() -> HashEncoder:
        told.append(("loading", 0, 0))
        return encoder.load()

    embedder = MemoEmbedder("m@hash", DIM, load, [ProcessStore()], notes=[])
    Watched(embedder, lambda what, done=0, total=0: told.append((what, done, total))).embed(["a", "b", "c"])
    assert told[:2] == [("Encoding texts", 0, 0), ("loading", 0, 0)]
    assert told[-1] == ("Encoding texts", 3, 3)
