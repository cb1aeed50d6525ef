"""Statement + the tables that exist -> output columns, each with every column it descends from.

No sqlglot here: a cached Statement is resolved afresh on every run, so a changed table needs no parsing.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from dbt_schema_embed.sql.shape import CAST, DERIVED, PLAIN, Input, Item, Ref, Select, Star, Statement

MAX_COLUMNS = 5_000
"""Output columns of one query; `select *, *` doubles them at every step."""
MAX_LITERALS = 50
"""Literals kept for one column."""

Origins = Mapping[tuple[str, str], int]
"""(unique_id, column) -> strength of the path from there. Every ancestor, not only the nearest."""
NOTHING: Origins = {}


class Frame:
    """The columns of a query or relation, found by name: exact spelling first, then without case."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.origins: list[Origins] = []
        self.rest: list[tuple[Frame, frozenset[str]]] = []  # where unlisted names may come from, and which may not
        self.blind = False  # it has columns that nobody can list
        self._places: dict[str, int] = {}
        self._lower: dict[str, int] = {}
        self._indexed = 0
        self._found: dict[str, Origins] = {}  # without it, unions of unions take exponential time

    @property
    def open(self) -> bool:
        """Whether it may have columns that ``names`` does not list."""
        return self.blind or bool(self.rest)

    def add(self, name: str, origins: Origins) -> None:
        """Append a column."""
        if len(self.names) >= MAX_COLUMNS:
            self.blind = True
            return
        self.names.append(name)
        self.origins.append(origins)

    def place(self, name: str) -> int | None:
        """Where ``name`` is listed, or None."""
        for new in range(self._indexed, len(self.names)):  # only now: most frames are never asked
            self._places.setdefault(self.names[new], new)
            self._lower.setdefault(self.names[new].lower(), new)
        self._indexed = len(self.names)
        found = self._places.get(name)
        return self._lower.get(name.lower()) if found is None else found

    def find(self, name: str) -> Origins | None:
        """What the column ``name`` descends from; None when it cannot be told."""
        place = self.place(name)
        if place is not None:
            return self.origins[place]
        if self.blind or len(self.rest) != 1:
            return None
        frame, dropped = self.rest[0]
        return None if name.lower() in dropped else frame.find(name)


class RelationFrame(Frame):
    """A relation outside the statement. ``inner``: the resolved SQL of a model."""

    def __init__(self, unique_id: str, columns: Iterable[str], inner: Frame | None = None, *, complete: bool) -> None:
        super().__init__()
        self._id = unique_id
        self._inner = inner
        self._complete = complete
        for column in columns:
            self.add(column, self._from(column))
        if not complete:
            self.rest = [(self, frozenset())]

    def _from(self, name: str) -> Origins:
        below = self._inner.find(name) if self._inner else None
        return {**(below or NOTHING), (self._id, name): PLAIN}

    def find(self, name: str) -> Origins | None:
        """As Frame.find; an incomplete relation is believed to have any column that is asked for."""
        place = self.place(name)
        if place is not None:
            return self.origins[place]
        if self._complete:
            return None
        if name not in self._found:
            self._found[name] = self._from(name)
        return self._found[name]


class UnionFrame(Frame):
    """Branches that run together: by place where every branch is fully known, else by name."""

    def __init__(self, branches: Sequence[Frame], *, by_name: bool) -> None:
        super().__init__()
        self._branches = branches
        first = branches[0]
        by_place = not by_name and all(not b.open and len(b.names) == len(first.names) for b in branches)
        for place, name in enumerate(first.names):
            self.add(name, _merge([b.origins[place] for b in branches]) if by_place else self._from(name))
        if by_name or first.open:  # columns that only later branches list
            for name in (n for b in branches[1:] for n in b.names):
                if self.place(name) is None:
                    self.add(name, self._from(name))
        self.blind = any(b.blind for b in branches)
        if any(b.rest for b in branches):
            self.rest = [(self, frozenset())]

    def _from(self, name: str) -> Origins:
        return _merge([b.find(name) or NOTHING for b in self._branches])

    def find(self, name: str) -> Origins | None:
        """As Frame.find; an unlisted name comes from every branch that can have it."""
        place = self.place(name)
        if place is not None:
            return self.origins[place]
        if name not in self._found:
            self._found[name] = self._from(name)
        return self._found[name] or None


class _FunctionFrame(Frame):
    """A table function, or something opaque: whatever is asked for is derived from its arguments."""

    def __init__(self, item: Input, fed: Origins) -> None:
        super().__init__()
        self.blind = True
        self._fed = fed
        for name in item.columns or ((item.alias,) if item.feeds and item.alias else ()):
            self.add(name, fed)

    def find(self, name: str) -> Origins | None:  # noqa: ARG002 (overrides)
        return self._fed


class Resolved:
    """A resolved statement: its ``answer``, and the ``literals`` its columns are compared with.

    Raises:
        TimeoutError: ``deadline`` (of time.monotonic) has passed.
    """

    def __init__(self, statement: Statement, relation: Callable[[str], Frame], deadline: float = math.inf) -> None:
        self.literals: dict[tuple[str, str], dict[str, None]] = {}
        self._relation = relation
        self._lateral = statement.lateral
        self._frames: list[Frame] = []
        for query in statement.queries:
            if time.monotonic() > deadline:
                raise TimeoutError
            self._frames.append(
                self._select(query)
                if isinstance(query, Select)
                else UnionFrame([self._frames[b] for b in query.branches], by_name=query.by_name)
            )
        self.answer = self._frames[-1]

    def _select(self, select: Select) -> Frame:
        scope: list[tuple[Input, Frame]] = []
        for item in select.inputs:
            scope.append((item, self._input(item, scope)))
        near = [f for i, f in scope if not i.outer]
        passed_on = len(near) == 1 and select.items == (Star(),)  # `select * from x` is x
        frame = near[0] if passed_on else self._listed(select, scope)
        for ref, values in select.literals:
            for key, strength in self._ref(ref, scope, frame).items():
                if strength <= CAST:
                    self._keep(key, values)
        return frame

    def _listed(self, select: Select, scope: Sequence[tuple[Input, Frame]]) -> Frame:
        frame = Frame()
        for entry in select.items:
            if not isinstance(entry, Star):
                frame.add(entry.name, self._item(entry, scope, frame))
            elif entry.blind:
                frame.blind = True
            else:
                self._expand(entry, frame, scope)
        return frame

    def _keep(self, key: tuple[str, str], values: Sequence[str]) -> None:
        kept = self.literals.setdefault(key, {})
        for value in values:
            if len(kept) < MAX_LITERALS:
                kept[value] = None

    def _input(self, item: Input, scope: Sequence[tuple[Input, Frame]]) -> Frame:
        if item.opaque or not (item.relation or item.query >= 0):
            if not item.opaque:  # VALUES: constants
                return _renamed(Frame(), item.columns)
            fed = _merge([self._ref(r, scope, None) for r in item.feeds])
            return _FunctionFrame(item, _stronger(fed, DERIVED))
        frame = self._relation(item.relation) if item.relation else self._frames[item.query]
        return _renamed(frame, item.columns) if item.columns else frame

    def _item(self, item: Item, scope: Sequence[tuple[Input, Frame]], made: Frame | None) -> Origins:
        return _merge([self._ref(ref, scope, made) for ref in item.refs])

    def _ref(self, ref: Ref, scope: Sequence[tuple[Input, Frame]], made: Frame | None) -> Origins:
        if ref.query >= 0:
            return _stronger(_merge(self._frames[ref.query].origins), DERIVED)
        for outer in (False, True):
            near = [(i, f) for i, f in scope if i.outer is outer]
            if ref.table:
                near = [(i, f) for i, f in near if i.alias == ref.table]
            elif any(ref.name.lower() in i.using for i, _ in near):
                return _stronger(_shared(ref.name, near), ref.strength)
            aliases = made if self._lateral and not (ref.table or outer) else None
            found = _column(ref.name, [f for _, f in near], aliases)
            if found is not None:
                return _stronger(found, ref.strength)
        return NOTHING

    def _expand(self, star: Star, frame: Frame, scope: Sequence[tuple[Input, Frame]]) -> None:
        near = [(i, f) for i, f in scope if not i.outer and star.table in ("", i.alias)]
        dropped = {name.lower() for name in star.dropped}
        renamed = {old.lower(): (old, new) for old, new in star.renamed}
        replaced = {item.name.lower(): item for item in star.replaced}
        shared = frozenset(n for i, _ in near for n in i.using) if not star.table else frozenset()
        seen: set[str] = set()
        for name, origins in ((n, o) for _, f in near for n, o in zip(f.names, f.origins, strict=True)):
            key = name.lower()
            if key in dropped or name in seen:  # JOIN USING gives its columns once
                continue
            seen.add(name)
            if key in replaced:
                origins = self._item(replaced.pop(key), scope, None)
            elif key in shared:
                origins = _shared(name, near)
            frame.add(renamed.pop(key, (name, name))[1], origins)
        for item in replaced.values():  # of columns that nothing lists
            frame.add(item.name, self._item(item, scope, None))
        for old, new in renamed.values():
            frame.add(new, self._ref(Ref(old, star.table), scope, None))
        hidden = frozenset(dropped | {old.lower() for old, _ in star.renamed})
        frame.blind = frame.blind or any(f.blind for _, f in near)
        # two or twenty: an unlisted name cannot be told, so the third need not be kept
        frame.rest = [*frame.rest, *((f, d | hidden) for _, near_ in near for f, d in near_.rest)][:2]


def _column(name: str, frames: Sequence[Frame], made: Frame | None) -> Origins | None:
    """The column ``name`` of the frames a select reads, else of what it has ``made`` so far (a lateral alias)."""
    for frame in frames:
        place = frame.place(name)
        if place is not None:
            return frame.origins[place]
    if made is not None:
        place = made.place(name)
        if place is not None:
            return made.origins[place]
    if len(frames) > 1:  # an unlisted name: told only when a single table can have it
        frames = [f for f in frames if f.rest]
    return frames[0].find(name) if len(frames) == 1 else None


def _shared(name: str, scope: Sequence[tuple[Input, Frame]]) -> Origins:
    """The column ``name`` of a JOIN USING: the left side's, or that of every side of a FULL or RIGHT join."""
    listed = [f.find(name) or NOTHING for _, f in scope if f.place(name) is not None]
    found = listed or [f.find(name) or NOTHING for _, f in scope if f.rest]
    return _merge(found if any(i.both for i, _ in scope) else found[:1])


def _renamed(frame: Frame, columns: Sequence[str]) -> Frame:
    result = Frame()
    for place, name in enumerate(columns):
        result.add(name, frame.origins[place] if place < len(frame.origins) else NOTHING)
    for name, origins in list(zip(frame.names, frame.origins, strict=True))[len(columns) :]:
        result.add(name, origins)
    result.blind = frame.open
    return result


def _stronger(origins: Origins, strength: int) -> Origins:
    if strength == PLAIN:
        return origins
    return {key: max(strength, s) for key, s in origins.items()}


def _merge(many: Sequence[Origins]) -> Origins:
    """All origins of ``many``; where two paths lead from one column, the stronger counts."""
    if len(many) == 1:
        return many[0]
    merged: dict[tuple[str, str], int] = {}
    for origins in many:
        for key, strength in origins.items():
            merged[key] = max(strength, merged.get(key, PLAIN))
    return merged
