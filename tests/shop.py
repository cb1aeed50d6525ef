"""A copy of example_project with an encoder and a matcher whose answers can be told from the names."""

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from dbt_schema_embed.embed.disk_store import DiskStore
from dbt_schema_embed.embed.memo import MemoEmbedder, ProcessStore
from dbt_schema_embed.read.project import read_project
from dbt_schema_embed.records import Candidate, Embedded, Project, Relation, Suggestion
from tests.embed.encoders import DIM, HashEncoder

MADE = shutil.ignore_patterns("schema_mappings", "dbt_packages", "logs", "*.duckdb", "compiled", "run", "schema_embed")


def copy_of_example(root: Path, folder: Path) -> Path:
    """example_project as it stands in git, in a folder of its own, its SQL parsed and cached."""
    shutil.copytree(root / "example_project", folder, ignore=MADE)
    read_project(folder, cache_dir=folder / "target" / "schema_embed")
    return folder


@dataclass
class SameName:
    """Matches columns whose names are equal, blind to case; keeps what it was asked."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    confidence: float = 0.9
    targets: str = ""

    def choose_targets(self, project: Project, targets: str) -> tuple[Relation, ...]:
        """Planned models for "auto", all for "all"."""
        self.targets = targets
        models = [r for r in project.relations if r.kind == "model" and r.columns]
        return tuple(r for r in models if targets == "all" or not r.has_sql)

    def suggest(
        self,
        sources: Sequence[Embedded],
        models: Sequence[Embedded],
        *,
        project: Project,
        lexicon: object = None,
        only: Collection[str] | None = None,
        rejected: Collection[tuple[str, str, str, str]] = (),
        accepted: Mapping[tuple[str, str], tuple[str, str] | None] = MappingProxyType({}),
        top_k: int = 10,
        shares: bool = False,
        kept: object = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> tuple[Suggestion, ...]:
        """The first model, by id, that has a column of that name."""
        self.asked.append({"rejected": rejected, "accepted": accepted, "targets": self.targets, "top_k": top_k})
        return tuple(
            self._row(s, c.name, sorted(models, key=lambda m: m.relation.id), rejected)
            for s in sources
            if only is None or s.relation.id in only
            for c in s.relation.columns
        )

    def match(
        self, left: Embedded, right: Embedded, *, readings: object = None, top_k: int | None = None
    ) -> tuple[Suggestion, ...]:
        """The column of that name."""
        return tuple(self._row(left, c.name, [right], ()) for c in left.relation.columns)

    def explain(
        self,
        source_id: str,
        column: str,
        sources: Sequence[Embedded],
        models: Sequence[Embedded],
        *,
        project: Project,
        targets: str,
        **_: object,
    ) -> str:
        """A word."""
        (source,) = (s.relation for s in sources if s.relation.id == source_id)
        return f"{source.label}.{column} among {len(models)} models\n"

    def _row(
        self, source: Embedded, name: str, models: Sequence[Embedded], rejected: Collection[tuple[str, str, str, str]]
    ) -> Suggestion:
        place = (source.relation.id, name)
        found = [
            Candidate(m.relation.id, c.name, self.confidence, {"name": 1.0})
            for m in models
            for c in m.relation.columns
            if c.key == name.lower() and (*place, m.relation.id, c.name) not in rejected
        ]
        if not found:
            return Suggestion(*place, None, None, 0.8)
        best = found[0]
        return Suggestion(
            *place, best.model, best.model_column, best.confidence, reason="the same name", evidence=best.evidence,
            candidates=tuple(found),
        )  # fmt: skip


def with_same_name(monkeypatch: pytest.MonkeyPatch) -> SameName:
    """Put the matcher in the place of the room's."""
    matcher = SameName()
    for name in ("choose_targets", "suggest", "match", "explain"):
        monkeypatch.setattr(f"dbt_schema_embed.match.{name}", getattr(matcher, name), raising=False)
    return matcher


def with_hash_encoder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> HashEncoder:
    """Put an encoder of hashes, behind a memo in ``folder``, in the place of the real one."""
    encoder = HashEncoder(chunk=5000)

    def opened(model_name: str, **_: object) -> MemoEmbedder:
        notes: list[str] = []
        levels = [ProcessStore(), DiskStore(folder / "memo", notes=notes)]
        return MemoEmbedder(f"{model_name}@hash", DIM, encoder.load, levels, notes=notes)

    monkeypatch.setattr("dbt_schema_embed.embed.open_embedder", opened)
    return encoder
