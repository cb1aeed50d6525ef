"""Mapping files around the matching: what people decided goes in, fresh suggestions come out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_schema_embed.decide.signing import in_bulk
from dbt_schema_embed.errors import ConfigError, MappingError, listed, printable
from dbt_schema_embed.files import inside, shown_path, write_text
from dbt_schema_embed.lookup import shared_labels, sources_called
from dbt_schema_embed.records import (
    MAX_COLUMNS,
    NEW_COLUMN,
    Column,
    MappingFile,
    MappingRow,
    Opened,
    Relation,
    Suggestion,
)

if TYPE_CHECKING:
    from dbt_schema_embed.decide.pins import Pin
    from dbt_schema_embed.write.rewrite import Rewrite

GLOSSARY = "glossary.yml"
"""The one file beside the mapping files that is none: words of the project, see match/glossary.py."""

Pair = tuple[str, str]
"""unique_id of a model, name of its column."""


@dataclass(frozen=True, slots=True)
class Mappings:
    """The mapping files of a project. ``errors``: those that cannot be read."""

    folder: Path
    files: tuple[tuple[Path, MappingFile], ...] = ()
    errors: tuple[MappingError, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """What people said about source columns; the first part of each key is a source's unique_id.

    Accepted None: the column feeds nothing. Columns are named as the relations spell them, accepted ones by key.
    """

    accepted: dict[tuple[str, str], Pair | None] = field(default_factory=dict)  # the first answer of each column
    more: dict[tuple[str, str], list[Pair]] = field(default_factory=dict)  # its further ones
    rejected: set[tuple[str, str, str, str]] = field(default_factory=set)
    notes: dict[tuple[str, str], str] = field(default_factory=dict)
    rejections: dict[tuple[str, str], str] = field(default_factory=dict)  # notes on answers that were rejected
    proposed: dict[tuple[str, str], tuple[Pair | None, MappingRow]] = field(default_factory=dict)  # by an agent


def load_mappings(root: Path, mappings_dir: str) -> Mappings:
    """Every mapping file of the project in ``root``, by name.

    Raises:
        ConfigError: their folder is outside the project.
    """
    folder = root / mappings_dir
    if not inside(folder, root):
        raise ConfigError(
            f"mappings_dir {printable(mappings_dir)} leads out of the project",
            hint="mapping files belong to the project, below its folder",
        )
    paths = sorted(p for p in folder.glob("*") if p.suffix in (".yml", ".yaml") and not p.name.startswith("."))
    paths = [p for p in paths if p.name != GLOSSARY]
    if not paths:
        return Mappings(folder, (), ())
    from dbt_schema_embed.write.mapping import read_mapping

    files, errors = [], []
    for path in paths:
        try:
            if path.is_symlink() and not inside(path, root):
                raise MappingError("it is a link out of the project: it is not read", path=shown_path(root, path))
            files.append((path, read_mapping(path, shown_path(root, path))))
        except MappingError as problem:
            errors.append(problem)
    return Mappings(folder, tuple(files), tuple(errors))


def glossary_path(root: Path, mappings_dir: str) -> Path:
    """Where the glossary of the project in ``root`` lies; it need not be there.

    Raises:
        ConfigError: outside the project.
    """
    path = root / mappings_dir / GLOSSARY
    if not inside(path, root):
        raise ConfigError(
            f"{shown_path(root, path)} leads out of the project: it is not read",
            hint="the glossary belongs to the project, beside its mapping files",
        )
    return path


def owners(opened: Opened, mappings: Mappings) -> dict[str, tuple[Path, MappingFile]]:
    """The mapping file of each source table that has one: unique_id -> file. Of two, the first by name."""
    found: dict[str, tuple[Path, MappingFile]] = {}
    by_label: dict[str, list[Relation]] = {}
    for relation in opened.project.relations:
        by_label.setdefault(relation.label.lower(), []).append(relation)
    for path, file in mappings.files:
        meant = sources_called(by_label.get(file.source.lower(), []), file.source, file.package)
        if len(meant) == 1:
            found.setdefault(meant[0].id, (path, file))
    return found


def decided(opened: Opened, mappings: Mappings) -> Decided:
    """What the mapping files decide. Names the project does not have are passed over: `check` reports them.

    Raises:
        MappingError: a mapping file cannot be read, and with it what people decided.
    """
    from dbt_schema_embed.lookup import model_names

    if mappings.errors:
        raise mappings.errors[0]
    relations = {r.id: r for r in opened.project.relations}
    models = {name.lower(): unique_id for unique_id, name in model_names(opened.project.relations).items()}
    found = Decided()
    for source_id, (_, file) in owners(opened, mappings).items():
        for row in file.columns:
            model = relations.get(models.get((row.model or "").lower(), ""))
            target = model.column(row.model_column or "") if model else None
            pair = (model.id, target.name) if model and target else None
            if pair is None and row.status == "accepted" and row.reason.startswith(NEW_COLUMN) and row.model_column:
                # It is to be made: as the model will be called once it is staged.
                pair = (model.id if model else f"model.{opened.project.name}.{row.model}", row.model_column)
            for name in row.source_columns:
                if column := relations[source_id].column(name):
                    _decide(found, row, source_id, column, pair)
    return found


def _decide(found: Decided, row: MappingRow, source_id: str, column: Column, pair: Pair | None) -> None:
    """Take in what one row says about one column."""
    place = source_id, column.key
    if row.note:
        rejected = row.status == "rejected"
        said, notes = (f"not {row.model}.{row.model_column}: ", found.rejections) if rejected else ("", found.notes)
        notes[place] = "; ".join(filter(None, (notes.get(place), said + row.note)))
    if row.status == "rejected" and pair:
        found.rejected.add((source_id, column.name, *pair))
    elif row.status == "accepted" and (pair or row.model is None):
        if place in found.accepted and pair:
            found.more.setdefault(place, []).append(pair)
        found.accepted.setdefault(place, pair)
    elif row.proposed and (pair or row.model is None or row.invented):
        found.proposed[place] = pair, row


def looked_at(mappings: Mappings) -> list[tuple[float, bool]]:
    """The confidence of every suggestion that a person accepted or rejected, and which of the two.

    Those of many rows at once are left out: nobody has looked at each.
    """
    return [
        (row.confidence, row.status == "accepted")
        for _, file in mappings.files
        for row in file.columns
        if row.confidence is not None and row.model is not None and row.status in ("accepted", "rejected")
        if not in_bulk(row.decided_by)
    ]


def with_decisions(rows: Iterable[Suggestion], known: Decided, keys: Mapping[Pair, str]) -> tuple[Suggestion, ...]:
    """Suggestions as people left them: an accepted answer stands, whatever was suggested.

    ``keys``: (source id, column name) -> the column's key.
    """
    refused: dict[Pair, list[Pair]] = {}
    for source, column, model, target in sorted(known.rejected):
        refused.setdefault((source, column), []).append((model, target))
    settled = []
    for answer in rows:
        place = (answer.source, keys[answer.source, answer.source_column])
        note, refused_for = known.notes.get(place, ""), known.rejections.get(place, "")
        row = replace(answer, note=note, rejections=refused_for) if note or refused_for else answer
        if place in known.accepted:
            settled += [_accepted(row, pair) for pair in (known.accepted[place], *known.more.get(place, ()))]
        elif place in known.proposed and (row.answer == "nothing" or not known.proposed[place][1].invented):
            pair, said = known.proposed[place]
            row = replace(row, reason=said.reason, decided_by=said.decided_by) if said.invented else row
            if said.invented and pair is None:
                settled.append(replace(row, proposed_model=said.model, proposed_name=said.model_column))
            else:
                settled.append(proposed_row(row, pair, said.decided_by, said.reason))
        elif row.model is None and (row.source, row.source_column) in refused:
            names = listed([f"{m.rpartition('.')[2]}.{c}" for m, c in refused[row.source, row.source_column]])
            settled.append(replace(row, status="rejected", reason=f"{names} was rejected, and nothing else fits"))
        else:
            settled.append(row)
    held = {(row.source, row.model, row.model_column) for row in settled if _is_held(row)}
    return tuple(
        without_answer(row) if row.model and not _is_held(row) and (row.source, row.model, row.model_column) in held
        else row
        for row in settled
    )  # fmt: skip


def _is_held(row: Suggestion) -> bool:
    """Whether somebody says that the row's model column is fed by it."""
    return row.model is not None and (row.status == "accepted" or bool(row.decided_by))


def without_answer(row: Suggestion) -> Suggestion:
    """The row of a column whose answer another column of its table holds."""
    left = tuple(c for c in row.candidates if (c.model, c.model_column) != (row.model, row.model_column))
    said = f"{(row.model or '').rpartition('.')[2]}.{row.model_column} is another column's"
    sure = left[0].confidence if left else 0.0
    return replace(
        row, model=None, model_column=None, confidence=sure, reason=said, evidence={}, candidates=left, fed_by=(),
        undecided=True,
    )  # fmt: skip


def _accepted(row: Suggestion, pair: Pair | None) -> Suggestion:
    """The row of a column whose answer a person gave. Certain, for nobody asks the matcher any more."""
    model, column = pair or (None, None)
    if (row.model, row.model_column) == (model, column):
        return replace(row, status="accepted", confidence=1.0, proposed_name=None, undecided=False)
    known = next((c for c in row.candidates if (c.model, c.model_column) == (model, column)), None)
    return replace(
        row,
        model=model,
        model_column=column,
        status="accepted",
        confidence=1.0,
        reason="decided by hand",
        evidence=known.evidence if known else {},
        fed_by=known.fed_by if known else (),
        proposed_name=None,
        undecided=False,
    )


def proposed_row(row: Suggestion, pair: Pair | None, by: str, reason: str) -> Suggestion:
    """The row of a column that an agent answered. The confidence stays ours: how likely we hold that answer."""
    known = next((c for c in row.candidates if (c.model, c.model_column) == pair), None)
    ours = known.confidence if known else 0.0
    return replace(
        row,
        model=pair[0] if pair else None,
        model_column=pair[1] if pair else None,
        confidence=ours if pair else row.confidence if row.answer == "nothing" else 0.0,
        reason=reason,
        evidence=known.evidence if known else {},
        fed_by=known.fed_by if known else (),
        proposed_name=None,
        undecided=False,
        decided_by=by,
    )


def write_suggestions(
    opened: Opened,
    mappings: Mappings,
    rows: Sequence[Suggestion],
    pins: "Mapping[str, Pin]",
    told: Callable[[Iterable[str]], object],
) -> tuple[str, ...]:
    """Bring the mapping files of the rows' source tables up to date; the files that changed, as people are told them.

    Every file is worked out before the first one is written. ``told`` hears what a rewrite keeps or leaves out, and of
    tables with more columns than a file may list, which have none.

    Raises:
        MappingError: a file that is there cannot be read, or maps another source.
        WriteError: a file could not be written.
    """
    from dbt_schema_embed.write.mapping import SCHEMA_NAME, schema_text

    plans = brought_up(opened, mappings, rows, pins, told)
    changed = tuple(plan.shown for plan in plans if plan.write(opened.root))
    if plans:  # editors find the schema beside the files, without a network
        write_text(mappings.folder / SCHEMA_NAME, schema_text(), root=opened.root)
    return changed


def brought_up(
    opened: Opened,
    mappings: Mappings,
    rows: Sequence[Suggestion],
    pins: "Mapping[str, Pin]",
    told: Callable[[Iterable[str]], object],
) -> "list[Rewrite]":
    """The mapping files of the rows' source tables as `write_suggestions` makes them; nothing is written yet."""
    from dbt_schema_embed.lookup import model_names
    from dbt_schema_embed.write.mapping import mapping_path
    from dbt_schema_embed.write.update import update_mapping

    relations = {r.id: r for r in opened.project.relations}
    names = model_names(opened.project.relations)
    shared = shared_labels(opened.project.relations)
    known = owners(opened, mappings)
    packages = {r.id: r.package if r.label in shared else "" for r in relations.values() if r.kind == "source"}
    usual = {i: mapping_path(mappings.folder, relations[i], package=package) for i, package in packages.items()}
    sharing = Counter(str(path).lower() for path in usual.values())
    plans: list[Rewrite] = []
    for source_id, group in groupby(rows, key=lambda row: row.source):
        source, package, some = relations[source_id], packages[source_id], list(group)
        if len(some) > MAX_COLUMNS:
            said = f"{printable(source.label)} has {len(some):,} columns, more than {MAX_COLUMNS:,}"
            told([f"{said}: its mapping file is not written"])
            continue
        twin = sharing[str(usual[source_id]).lower()] > 1
        fresh = mapping_path(mappings.folder, source, package=package, twin=twin)
        path, file = known.get(source_id, (fresh, None))
        pin = pins.get(source_id)
        plans.append(
            update_mapping(
                path, some, source=file.source if file else source.label, names=names,
                package=file.package if file else package, shown=shown_path(opened.root, path),
                complete=source.complete, pins=(pin.into, pin.not_into) if pin else None,
            )
        )  # fmt: skip
        told(_unseen(file, source, shown_path(opened.root, path)) if file else ())
    return plans


def _unseen(file: MappingFile, source: Relation, shown: str) -> list[str]:
    """What a file says of columns that the artifacts do not show: kept where they may well be there, else dropped."""
    rows = [n for row in file.columns if row.status in ("suggested", "existing") for n in row.source_columns]
    gone = [name for name in [*rows, *file.undecided, *file.unmapped] if source.column(name) is None]
    if not gone:
        return []
    names = listed([printable(name, 60) for name in dict.fromkeys(gone)])
    if source.complete:
        return [f"{shown}: {printable(source.label)} has no column {names} any more: what nobody decided is dropped"]
    return [f"{shown}: kept what it says of {names}, which only a catalog would show: run dbt docs generate"]
