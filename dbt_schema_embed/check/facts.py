"""Mapping files beside the project they speak of: every name looked up once, for all rules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dbt_schema_embed.errors import MappingError, near_hint, printable
from dbt_schema_embed.lookup import sources_called
from dbt_schema_embed.records import Column, Lineage, MappingFile, MappingRow, Project, Relation

_LOOKUPS = 300
"""Names that get a near one looked up: a file of 50,000 wrong names must not take minutes."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule has found, before it has a code and a severity."""

    message: str
    path: str
    line: int = 0
    hint: str = ""
    binding: bool = True  # False: about a row that nobody has accepted, so never more than a warning


@dataclass(frozen=True, slots=True)
class Case:
    """One row of a mapping file with what its names stand for; None where a name is unknown or was not given."""

    file: MappingFile
    row: MappingRow
    source: Relation | None
    source_column: Column | None
    model: Relation | None
    model_column: Column | None

    def found(self, message: str, hint: str = "") -> Found:
        """A finding about this row."""
        return Found(message, self.file.path, self.row.line, hint, binding=self.row.status == "accepted")


@dataclass(frozen=True)
class Facts:
    """All that rules look at."""

    project: Project
    files: Sequence[MappingFile]
    errors: Sequence[MappingError] = ()
    manifest: str = ""  # path of the manifest

    def sources_of(self, file: MappingFile) -> list[Relation]:
        """The relations a mapping file can mean: one, or several packages' sources of one name, or none."""
        return sources_called(self._by_label.get(file.source.lower(), []), file.source, file.package)

    def models_called(self, name: str) -> list[Relation]:
        """The relations a row's ``model`` can mean: by bare name, or by unique_id without its kind."""
        return self._by_name.get(name.lower(), [])

    def columns(self, relation: Relation) -> Mapping[str, Column]:
        """The columns of a relation by name, and by lower-case name where that is no other column's."""
        if relation.id not in self._columns:
            loose = {c.name.lower(): c for c in reversed(relation.columns)}
            self._columns[relation.id] = loose | {c.name: c for c in relation.columns}
        return self._columns[relation.id]

    def column(self, relation: Relation | None, name: str | None) -> Column | None:
        """The column of that name: spelled alike, or else in another case."""
        if relation is None or name is None:
            return None
        columns = self.columns(relation)
        return columns.get(name) or columns.get(name.lower())

    @cached_property
    def cases(self) -> list[Case]:
        """Every row of every file."""
        return [case for file in self.files for case in self._cases_of(file)]

    @cached_property
    def lineage(self) -> Mapping[tuple[str, str], list[Lineage]]:
        """What SQL does: (source id, model id) -> its lineage."""
        found: dict[tuple[str, str], list[Lineage]] = {}
        for line in self.project.lineage:
            found.setdefault((line.source, line.model), []).append(line)
        return found

    @cached_property
    def fed_by_source_column(self) -> Mapping[tuple[str, str], list[Lineage]]:
        """What SQL does: (source id, source column in lower case) -> its lineage."""
        found: dict[tuple[str, str], list[Lineage]] = {}
        for line in self.project.lineage:
            found.setdefault((line.source, line.source_column.lower()), []).append(line)
        return found

    @cached_property
    def models_of_files(self) -> Mapping[str, set[str]]:
        """The models that the rows of each file name: path of the file -> their ids."""
        found: dict[str, set[str]] = {file.path: set() for file in self.files}
        for case in self.cases:
            if case.model is not None:
                found[case.file.path].add(case.model.id)
        return found

    @cached_property
    def name_of(self) -> Mapping[str, str]:
        """unique_id -> name."""
        return {relation.id: relation.name for relation in self.project.relations}

    @property
    def labels(self) -> list[str]:
        """Names of the source tables."""
        return [found[0].label for found in self._by_label.values()]

    @property
    def model_names(self) -> list[str]:
        """Names of the models."""
        return sorted({r.name for found in self._by_name.values() for r in found})

    def near(self, word: str, names: Iterable[str]) -> str:
        """A hint that names the closest of ``names``, or nothing."""
        self._looked_up.append(word)
        if len(self._looked_up) > _LOOKUPS:
            return ""
        return near_hint(word, names)

    def _cases_of(self, file: MappingFile) -> Iterator[Case]:
        sources = self.sources_of(file)
        source = sources[0] if len(sources) == 1 else None
        for row in file.columns:
            models = self.models_called(row.model) if row.model is not None else []
            model = models[0] if len(models) == 1 else None
            column = self.column(source, row.source_column)
            yield Case(file, row, source, column, model, self.column(model, row.model_column))

    @cached_property
    def _by_label(self) -> dict[str, list[Relation]]:
        return _grouped((r.label, r) for r in self.project.relations if r.kind != "model")

    @cached_property
    def _by_name(self) -> dict[str, list[Relation]]:
        targets = [r for r in self.project.relations if r.kind != "source"]
        full = ((r.id.partition(".")[2], r) for r in targets)
        return _grouped([*((r.name, r) for r in targets), *((name, r) for name, r in full if name and name != r.name)])

    @cached_property
    def _columns(self) -> dict[str, Mapping[str, Column]]:
        return {}

    @cached_property
    def _looked_up(self) -> list[str]:
        return []


def _grouped(pairs: Iterable[tuple[str, Relation]]) -> dict[str, list[Relation]]:
    found: dict[str, list[Relation]] = {}
    for name, relation in pairs:
        found.setdefault(name.lower(), []).append(relation)
    return found


def quoted(name: str | None) -> str:
    return f"'{printable(name)}'"
