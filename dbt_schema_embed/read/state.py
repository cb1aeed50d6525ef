"""state:new and state:modified: what dbt compares between two manifests, as dbt-core's ``same_contents`` does."""

from collections.abc import Callable, Mapping
from functools import cache

import msgspec

from dbt_schema_embed.read.graph import Graph, GraphNode, Macro, mapping

Compare = Callable[[str, GraphNode, GraphNode | None], bool]
"""(unique_id, the node now, the node then or None) -> whether it is selected."""

_HIDDEN_CODE = "--placeholder--"  # dbt 2 writes this for code it keeps out of the manifest
# Config keys that dbt leaves out of the comparison, for they are compared as the relation, or not at all.
_NOT_COMPARED = {"source": frozenset[str](), "": frozenset(("alias", "schema", "database", "tags", "group"))}
_EXPOSURE = ("fqn", "type", "owner", "maturity", "url", "description", "label")


def comparisons(now: Graph, then: Graph) -> Mapping[str, Compare]:
    """Value of ``state:`` -> how it compares a node with the one of that unique_id in ``then``."""
    macros = _macro_changes(now, then)

    def modified(unique_id: str, new: GraphNode, old: GraphNode | None) -> bool:
        return not _same(new, old) or macros(unique_id)

    def differing(same: Callable[[GraphNode, GraphNode], bool]) -> Compare:
        return lambda _, new, old: _is_node(new) and (old is None or not same(new, old))

    return {
        "new": lambda _, __, old: old is None,
        "old": lambda _, __, old: old is not None,
        "modified": modified,
        "unmodified": lambda unique_id, new, old: not modified(unique_id, new, old),
        "modified.body": differing(_same_body),
        "modified.configs": lambda _, new, old: old is None or not _same_config(new, old),
        "modified.persisted_descriptions": differing(_same_persisted),
        "modified.relation": lambda _, new, old: _is_relation(new) and (old is None or not _same_relation(new, old)),
        "modified.macros": lambda unique_id, _, __: macros(unique_id),
        "modified.contract": differing(_same_contract),
    }


def _same(new: GraphNode, old: GraphNode | None) -> bool:
    if old is None:
        # as dbt: a new source is state:new, and not state:modified
        return not _is_node(new) and new.resource_type != "unit_test"
    if new.resource_type == "source":
        return _same_source(new, old)
    if new.resource_type == "test" and new.test_metadata:
        return _same_config(new, old) and new.fqn == old.fqn
    if not _is_node(new):
        return _same_other(new, old)
    return (
        _same_body(new, old)
        and _same_config(new, old)
        and _same_persisted(new, old)
        and new.fqn == old.fqn
        and _same_relation(new, old)
        and _same_contract(new, old)
        and (new.resource_type != "model" or _same_reference(new, old))
    )


def _is_node(node: GraphNode) -> bool:
    """Whether dbt holds it among its nodes."""
    return node.resource_type in ("model", "seed", "snapshot", "test", "analysis", "operation", "function")


def _is_relation(node: GraphNode) -> bool:
    return node.resource_type == "source" or _is_node(node)


def _same_body(new: GraphNode, old: GraphNode) -> bool:
    if new.resource_type == "seed" or new.raw.strip() == _HIDDEN_CODE:
        return bool(new.checksum == old.checksum)
    return new.raw == old.raw


def _same_config(new: GraphNode, old: GraphNode) -> bool:
    left_out = _NOT_COMPARED.get(new.resource_type, _NOT_COMPARED[""])
    mine, others = mapping(new.unrendered_config), mapping(old.unrendered_config)
    return {k: v for k, v in mine.items() if k not in left_out} == {
        k: v for k, v in others.items() if k not in left_out
    }


def _same_persisted(new: GraphNode, old: GraphNode) -> bool:
    """Descriptions count where they are written into the warehouse."""
    persisted = mapping(new.config).get("persist_docs")
    if not isinstance(persisted, dict):
        return True
    if persisted.get("relation") and new.description != old.description:
        return False
    return not persisted.get("columns") or _described(new) == _described(old)


def _described(node: GraphNode) -> dict[str, object]:
    return {k: c.get("description") if isinstance(c, dict) else None for k, c in mapping(node.columns).items()}


def _same_relation(new: GraphNode, old: GraphNode) -> bool:
    if new.resource_type == "source":
        return (new.database, new.schema, new.identifier) == (old.database, old.schema, old.identifier)
    mine, others = mapping(new.unrendered_config), mapping(old.unrendered_config)
    return all(mine.get(key) == others.get(key) for key in ("database", "schema", "alias"))


def _same_contract(new: GraphNode, old: GraphNode) -> bool:
    if new.resource_type != "model":
        return True
    mine, others = (node.contract if isinstance(node.contract, dict) else {} for node in (new, old))
    enforced = (mine.get("enforced") is True, others.get("enforced") is True)
    return enforced == (False, False) or (all(enforced) and mine.get("checksum") == others.get("checksum"))


def _same_reference(new: GraphNode, old: GraphNode) -> bool:
    mine = (new.latest_version, new.access, new.deprecation_date)
    return mine == (old.latest_version, old.access, old.deprecation_date)


def _same_source(new: GraphNode, old: GraphNode) -> bool:
    return (
        _same_relation(new, old)
        and new.fqn == old.fqn
        and _same_config(new, old)
        and new.quoting == old.quoting
        and (new.freshness, new.loaded_at_field) == (old.freshness, old.loaded_at_field)
        and new.external == old.external
    )


def _same_other(new: GraphNode, old: GraphNode) -> bool:
    """Exposures, and what else is no node: it can be selected here only to reach what it depends on."""
    same = all(getattr(new, name) == getattr(old, name) for name in _EXPOSURE)
    return same and set(new.dependencies) == set(old.dependencies) and _same_config(new, old)


def _macro_changes(now: Graph, then: Graph) -> Callable[[str], bool]:
    """Whether a macro that a node calls, directly or through others, was added, removed or changed."""

    @cache
    def changed() -> tuple[dict[str, Macro], set[str]]:
        mine, others = _macros(now), _macros(then)
        differing = {i for i, m in mine.items() if i not in others or others[i].macro_sql != m.macro_sql}
        return mine, differing | (others.keys() - mine.keys())

    def touched(unique_id: str) -> bool:
        macros, differing = changed()
        waiting = list(now.nodes[unique_id].macros) if differing else []
        seen: set[str] = set()
        while waiting:
            macro = waiting.pop()
            if macro in differing:
                return True
            if macro not in seen and macro in macros:
                seen.add(macro)
                waiting += macros[macro].macros
        return False

    return touched


def _macros(graph: Graph) -> dict[str, Macro]:
    try:
        return msgspec.json.decode(graph.macros, type=dict[str, Macro])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
