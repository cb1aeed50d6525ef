"""What tests and constraints promise: each way of writing it."""

from typing import Any

import pytest

from dbt_schema_embed.read.artifacts import Constraint, DependsOn, Node, TestMetadata, YamlColumn
from dbt_schema_embed.read.constraints import Promise, bare, promises

NODES = {
    "model.p.orders": Node(name="orders", resource_type="model", relation_name='"db"."dev"."orders"'),
    "model.p.customers": Node(name="customers", resource_type="model", relation_name='"db"."dev"."customers"'),
    "source.p.crm.customers": Node(name="customers", resource_type="source", source_name="crm"),
}
BOTH = ("model.p.customers", "model.p.orders")


def generic(name: str, parents: tuple[str, ...] = ("model.p.orders",), **more: Any) -> Node:
    kwargs = more.pop("kwargs", {})
    return Node(
        name="t",
        resource_type="test",
        depends_on=DependsOn(nodes=list(parents)),
        test_metadata=TestMetadata(name=name, kwargs=kwargs),
        **{"column_name": "customer_id", **more},
    )


@pytest.mark.parametrize(
    ("test", "owner", "expected"),
    [
        pytest.param(generic("unique"), "model.p.orders", Promise(unique=True), id="unique"),
        pytest.param(
            generic("not_null", column_name="Customer_ID"), "model.p.orders", Promise(not_null=True), id="case"
        ),
        pytest.param(
            generic("unique", column_name=None, kwargs={"column_name": '"customer_id"'}),
            "model.p.orders",
            Promise(unique=True),
            id="column in the arguments, quoted",
        ),
        pytest.param(
            generic("unique", BOTH, attached_node="model.p.orders"),
            "model.p.orders",
            Promise(unique=True),
            id="attached_node",
        ),
        pytest.param(
            generic(
                "relationships",
                BOTH,
                kwargs={"to": "ref('customers')", "model": "{{ get_where_subquery(ref('orders')) }}"},
            ),
            "model.p.orders",
            Promise(references="model.p.customers"),
            id="relationships: the model by its call",
        ),
        pytest.param(
            generic(
                "relationships",
                BOTH[::-1],
                kwargs={"arguments": {"to": 'ref("customers")'}},
                attached_node="model.p.orders",
            ),
            "model.p.orders",
            Promise(references="model.p.customers"),
            id="relationships: arguments one level down",
        ),
        pytest.param(
            generic(
                "relationships",
                ("model.p.orders", "source.p.crm.customers"),
                kwargs={"to": "source('crm', 'customers')"},
                attached_node="model.p.orders",
            ),
            "model.p.orders",
            Promise(references="source.p.crm.customers"),
            id="relationships to a source",
        ),
        pytest.param(
            generic("relationships", ("model.p.orders",), kwargs={"to": "ref('orders')"}),
            "model.p.orders",
            Promise(references="model.p.orders"),
            id="relationships to itself",
        ),
        pytest.param(
            generic("relationships", ("model.p.orders",), kwargs={"to": "ref('pkg', 'gone')"}),
            "model.p.orders",
            Promise(references="gone"),
            id="relationships to what is not there",
        ),
        pytest.param(
            generic("accepted_values", kwargs={"values": ["a", "a", 1, 2.5, True, None, {"x": 1}]}),
            "model.p.orders",
            Promise(accepted_values=("a", "1", "2.5", "true")),
            id="accepted_values",
        ),
        pytest.param(
            generic("expect_column_values_to_be_in_set", kwargs={"value_set": ["a"]}),
            "model.p.orders",
            Promise(accepted_values=("a",)),
            id="a package's test",
        ),
    ],
)
def test_a_generic_test_promises(test: Node, owner: str, expected: Promise) -> None:
    assert promises({**NODES, "test.p.t": test}) == {owner: {"customer_id": expected}}


@pytest.mark.parametrize(
    "test",
    [
        generic("accepted_values", kwargs={"values": "{{ var('x') }}"}),
        generic("is_even"),
        generic("unique", ()),
        generic("unique", column_name=None),
        generic("unique", column_name=None, kwargs={"column_name": ["a"]}),
        generic("relationships", kwargs={"to": None}),
        Node(name="singular", resource_type="test", depends_on=DependsOn(nodes=["model.p.orders"])),
    ],
)
def test_what_promises_nothing(test: Node) -> None:
    assert promises({**NODES, "test.p.t": test}) == {}


def test_constraints_of_columns_and_models() -> None:
    node = Node(
        name="m",
        resource_type="model",
        columns={
            "a": YamlColumn(name="A", constraints=[Constraint(type="primary_key")]),
            "b": YamlColumn(constraints=[Constraint(type="foreign_key", to='"db"."dev"."orders"')]),
            "c": YamlColumn(constraints=[Constraint(type="foreign_key", expression="dev.gone (id)")]),
            "d": YamlColumn(constraints=[Constraint(type="check", expression="d > 1")]),
        },
        constraints=[
            Constraint(type="unique", columns=["d"]),
            Constraint(type="primary_key", columns=["d", '"e"']),
        ],
        primary_key=["f"],
    )
    assert promises({**NODES, "model.p.m": node}) == {
        "model.p.m": {
            "a": Promise(unique=True, not_null=True),
            "b": Promise(references="model.p.orders"),
            "c": Promise(references="gone"),
            "d": Promise(unique=True, not_null=True),
            "e": Promise(not_null=True),
            "f": Promise(unique=True, not_null=True),
        }
    }


@pytest.mark.parametrize(
    ("quoted", "name"), [('"a"', "a"), ("`a b`", "a b"), ("[a]", "a"), ("a", "a"), ('"', '"'), ("", "")]
)
def test_bare(quoted: str, name: str) -> None:
    assert bare(quoted) == name
