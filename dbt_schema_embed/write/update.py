"""Fresh suggestions into a mapping file that people have worked in: `plan` says what changes, this writes it.

Comments, notes, order of rows and keys, quotes, indents and line ends stay: the text is changed at the places that
say something else now, and read again before it is handed back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dbt_schema_embed.errors import MappingError, WriteError
from dbt_schema_embed.files import content_hash
from dbt_schema_embed.records import MappingFile, MappingRow, Suggestion, rounded
from dbt_schema_embed.write.mapping import SCHEMA_NAME, VERSION, parse_mapping, read_text, rows_node
from dbt_schema_embed.write.plan import LISTS, PINS, Fresh, Plan, plan_update
from dbt_schema_embed.write.rewrite import Rewrite
from dbt_schema_embed.write.yamledit import Edits, Indent, Raw, Value, block_lines, flow_text
from dbt_schema_embed.write.yamltree import Node, YamlTextError

_HEADER = f"""\
# yaml-language-server: $schema={SCHEMA_NAME}
# Set status to accepted or rejected. A new run of "dbt-schema-embed suggest --write" keeps what you decide.
"""
_LINE = 100  # names of a list stand on one line up to this many characters


def update_mapping(
    path: Path,
    suggestions: Iterable[Suggestion],
    *,
    source: str,
    names: Mapping[str, str],
    package: str = "",
    shown: str = "",
    complete: bool = True,
    pins: tuple[tuple[str, ...], tuple[str, ...]] | None = None,
) -> Rewrite:
    """The mapping file at ``path`` with the suggestions of one source table, new or merged into what stands there.

    ``source`` is the table's label ("stripe.charges"); ``names`` is `model_names` of the project; ``package`` is given
    where two packages declare the source. Where the table's columns are not ``complete``, what is said of others stays:
    what is not known is not absent. ``pins`` are its ``into`` and ``not_into``, None: as they are. The same suggestions
    give the same bytes, and none change a second time.

    Raises:
        MappingError: the file there cannot be read, or maps another source.
        WriteError: the file is written in a way that cannot be changed safely.
    """
    shown = shown or path.name
    fresh = _fresh(suggestions, names)
    if not path.exists():
        into, not_into = pins or ((), ())
        file = MappingFile(
            shown, source, fresh.rows, fresh.unmapped, package=package, undecided=fresh.undecided, into=into,
            not_into=not_into,
        )  # fmt: skip
        return Rewrite(path, shown, None, _new_text(file, shown))
    content, text = read_text(path, shown)
    file, root = parse_mapping(text, shown)
    if (file.source, file.package) != (source, package):
        raise MappingError(
            f"it maps {file.source}, and {source} has the same file name", path=shown, hint="rename one of the sources"
        )
    plan = replace(plan_update(file, fresh, complete=complete), pins=pins)
    return Rewrite(path, shown, text, carried_out(text, root, file, plan, shown), content_hash(content))


def row_pairs(row: MappingRow) -> dict[str, Value]:
    """The keys and values of one row, in the order a new row has them."""
    pairs: dict[str, Value] = {"source_column": row.source_column}
    if row.others:
        pairs = {"source_columns": Raw(flow_text(row.source_columns))}
    if row.model is not None and row.model_column is not None:
        pairs |= {"model": row.model, "model_column": row.model_column}
    if row.expression:
        pairs["expression"] = row.expression
    if row.confidence is not None:
        pairs["confidence"] = Raw(f"{row.confidence:.2f}")
    pairs["status"] = row.status
    rest = ("reason", row.reason), ("note", row.note), ("decided_by", row.decided_by), ("decided_at", row.decided_at)
    return pairs | {key: text for key, text in rest if text}


def checked(text: str, expected: MappingFile, shown: str) -> str:
    """``text``, if it reads as ``expected`` (blind to lines).

    Raises:
        WriteError: it does not: the old text was written in a way the edit did not foresee.
    """
    try:
        file, _ = parse_mapping(text, shown)
    except MappingError as problem:
        raise _unsafe(shown, problem.problem) from None
    if _bare(file) != _bare(expected):
        raise _unsafe(shown, "the result would say something else")
    return text


def _unsafe(shown: str, why: str) -> WriteError:
    return WriteError(f"{shown} cannot be changed safely: {why}", hint="change it by hand, or remove it and run again")


def _bare(file: MappingFile) -> MappingFile:
    rows = tuple(replace(row, line=0) for row in file.columns)
    return replace(file, unmapped_line=0, undecided_line=0, columns=rows, ignored=())


def _fresh(suggestions: Iterable[Suggestion], names: Mapping[str, str]) -> Fresh:
    """Suggestions as what a file says."""
    rows: list[MappingRow] = []
    lists: dict[str, dict[str, None]] = {"undecided": {}, "nothing": {}}
    for s in suggestions:
        if s.decided_by:
            day = datetime.now(UTC).date().isoformat()
            pair = (names.get(s.model, s.model) if s.model else s.proposed_model, s.model_column or s.proposed_name)
            rows.append(MappingRow(s.source_column, *pair, reason=s.reason, decided_by=s.decided_by, decided_at=day))
        elif s.model is None or s.model_column is None:
            lists[s.answer][s.source_column] = None
        else:
            name = names.get(s.model, s.model)
            rows.append(MappingRow(s.source_column, name, s.model_column, rounded(s.confidence), s.status, s.reason))
    return Fresh(tuple(rows), tuple(lists["undecided"]), tuple(lists["nothing"]))


def _new_text(file: MappingFile, shown: str) -> str:
    pairs: dict[str, Value] = {"version": Raw(VERSION), "source": file.source}
    if file.package:
        pairs["package"] = file.package
    pairs |= {key: _list_value(names) for key in PINS if (names := getattr(file, key))}
    if file.columns:
        pairs["columns"] = [row_pairs(row) for row in file.columns]
    pairs |= {key: _list_value(names) for key in LISTS if (names := getattr(file, key))}
    try:
        text = _HEADER + "".join(f"{line}\n" for line in block_lines(pairs, Indent()))
    except YamlTextError as problem:
        raise _unsafe(shown, problem.problem) from None
    return checked(text, file, shown)


def _list_value(names: Sequence[str]) -> Value:
    """A list of names, on one line where it fits."""
    line = flow_text(names)
    return Raw(line) if len(line) <= _LINE else names


def carried_out(text: str, root: Node, file: MappingFile, plan: Plan, shown: str) -> str:
    """``text`` with ``plan`` carried out; ``root`` and ``file`` are what was read from it.

    Raises:
        WriteError: see `checked`.
    """
    expected = plan.result(file)
    if expected == file:
        return text
    edits = Edits(text, _indent(root))
    steps = [partial(_edit_rows, edits, root, file, plan)]
    steps += [partial(_edit_list, edits, root, file, plan, key) for key in LISTS]
    # A key that is added goes behind the last list, so that list must have grown before; of two that are added, the
    # first goes first.
    here = {key.text for key, _ in root.pairs}
    order = sorted(zip(("columns", *LISTS), steps, strict=True), key=lambda step: step[0] not in here)
    try:
        for _, step in order:
            step()
        _edit_pins(edits, root, file, expected)
    except YamlTextError as problem:
        raise _unsafe(shown, problem.problem) from None
    return checked(edits.result(), expected, shown)


def _indent(root: Node) -> Indent:
    """The indent of a list below its key, as the file has it."""
    lists = (value for _, value in root.pairs if value.kind == "sequence" and value.style == "block")
    return Indent(dash=next((node.column for node in lists), 2))


def _edit_rows(edits: Edits, root: Node, file: MappingFile, plan: Plan) -> None:
    rows = rows_node(root)
    new: list[Value] = [row_pairs(row) for row in plan.add]
    if rows is None or not rows.items:
        if new:
            edits.put(root, "columns", new)
        return
    for index, row in plan.refresh.items():
        edit_row(edits, rows.items[index], file.columns[index], row)
    edits.change_items(rows, plan.drop, new)


def edit_row(edits: Edits, node: Node, old: MappingRow, new: MappingRow) -> None:
    """Change the keys of one row that say something else in ``new``."""
    before, after = row_pairs(old), row_pairs(new)
    for key, value in after.items():
        if before.get(key) != value:
            edits.put(node, key, value)
    for key in before:
        if key not in after:
            edits.remove_pair(node, key)


def _edit_pins(edits: Edits, root: Node, file: MappingFile, expected: MappingFile) -> None:
    for key in PINS:
        new: tuple[str, ...] = getattr(expected, key)
        if new == getattr(file, key):
            continue
        if new:
            edits.put(root, key, Raw(flow_text(new)))
        else:
            edits.remove_pair(root, key)


def _edit_list(edits: Edits, root: Node, file: MappingFile, plan: Plan, key: str) -> None:
    """Bring one of the `LISTS` to what the plan says."""
    drop, add = getattr(plan, f"{key}_drop"), getattr(plan, f"{key}_add")
    if not drop and not add:
        return
    node = root.get(key)
    if node is None or not node.items:
        edits.put(root, key, _list_value(add))
    elif len(drop) == len(getattr(file, key)) and not add:
        edits.remove_pair(root, key)
    else:
        edits.change_items(node, drop, add)
