"""What we write as ONNX is what the onnx package reads."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from dbt_schema_embed.embed.onnx_bytes import model, node, tensor, value


def test_a_model_is_the_one_that_onnx_would_write() -> None:
    weight, bias = np.eye(300, dtype=np.float32), np.float32(0.5)
    ours = onnx.load_model_from_string(
        model(
            [node("MatMul", ["x", "w"], ["y"]), node("Add", ["y", "b"], ["z"]),
             node("Gelu", ["z"], ["g"], "com.microsoft"),
             node("LayerNormalization", ["g", "w"], ["n"], axis=-1, epsilon=1e-12)],
            [tensor("w", weight), tensor("b", np.array(bias))],
            value("x", "float32", ["n", 300]),
            value("n", "float32", ["n", 300]),
        )
    )  # fmt: skip
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Add", ["y", "b"], ["z"]),
         helper.make_node("Gelu", ["z"], ["g"], domain="com.microsoft"),
         helper.make_node("LayerNormalization", ["g", "w"], ["n"], axis=-1, epsilon=1e-12)],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 300])],
        [helper.make_tensor_value_info("n", TensorProto.FLOAT, ["n", 300])],
        initializer=[numpy_helper.from_array(weight, "w"), numpy_helper.from_array(np.array(bias), "b")],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    for each in ours.graph.node:  # written where it is empty, too
        if not each.domain:
            each.ClearField("domain")
    ours.opset_import[0].domain = ""
    assert ours == helper.make_model(graph, opset_imports=opsets, ir_version=9)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8", "int64"])
def test_every_kind_of_array_comes_back(dtype: str) -> None:
    array = np.arange(6).astype(dtype).reshape(2, 3)
    stored = onnx.load_tensor_from_string(tensor("a", array))
    assert stored.name == "a"
    np.testing.assert_array_equal(numpy_helper.to_array(stored), array)
    apart = onnx.load_tensor_from_string(tensor("a", array, apart=True))
    assert (apart.dims, apart.data_type, apart.data_location) == ([2, 3], stored.data_type, TensorProto.EXTERNAL)
    assert not apart.raw_data
