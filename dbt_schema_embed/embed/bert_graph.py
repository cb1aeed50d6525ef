"""A BERT-shaped encoder as an ONNX graph over its own weights file.

The graph is a page of nodes with onnxruntime's fused kernels; the weights are handed over as they lie in the
safetensors file. Nothing is exported and nothing is copied to disk, so the first run on a machine is as fast as the next, and
torch is not needed. `probe` proves the result against the float32 encoder before it is used.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.embed.encoder_files import EncoderFiles

if TYPE_CHECKING:
    import onnx

FAMILIES = {"bert": 0, "roberta": 1, "xlm-roberta": 1, "camembert": 1}
"""model_type -> whether positions start after the padding token's number, as RoBERTa counts them."""

_FUSED = "com.microsoft"
_WORDS = "embeddings.word_embeddings.weight"

Weights = dict[str, NDArray[np.float32]]


def supported(files: EncoderFiles) -> bool:
    """Whether this module can draw the encoder's graph."""
    config = files.config
    return (
        config.get("model_type") in FAMILIES
        and config.get("hidden_act", "gelu") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder")
        and files.pooling is not None
        and files.weights[0].name == "model.safetensors"
        and len(files.weights) == 1
        and files.tokenizer.is_file()
    )


def draw(files: EncoderFiles) -> tuple[bytes, Weights]:
    """The graph, ids (n, t) int64 -> vectors (n, d) float32 of length 1, and the arrays its initializers name.

    Raises:
        KeyError: the weights file lacks a tensor of this family.
    """
    from onnx import helper

    graph = _Graph(files.config, _read(files.weights[0]))
    graph.embeddings()
    for layer in range(files.config["num_hidden_layers"]):
        graph.layer(layer)
    graph.pool(files.pooling or "mean")
    proto = helper.make_graph(
        graph.nodes,
        "encoder",
        [helper.make_tensor_value_info("ids", helper.TensorProto.INT64, ["n", "t"])],
        [helper.make_tensor_value_info("vectors", helper.TensorProto.FLOAT, ["n", files.dim])],
        initializer=graph.initializers,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(_FUSED, 1)]
    return helper.make_model(proto, opset_imports=opsets, ir_version=9).SerializeToString(), graph.external


def _read(path: Path) -> Weights:
    """Every tensor of a safetensors file as float32, named from "embeddings." or "encoder." on."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as stored:
        names = list(stored.keys())
        prefix = next(n for n in names if n.endswith(_WORDS)).removesuffix(_WORDS)
        return {
            n.removeprefix(prefix): stored.get_tensor(n).astype(np.float32, copy=False)
            for n in names
            if n.startswith(prefix) and not n.endswith("position_ids")
        }


class _Graph:
    """The nodes as they are written down; ``at`` names the hidden state reached so far."""

    def __init__(self, config: dict[str, Any], weights: Weights) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.external: Weights = {}
        self.at = "ids"
        self._config = config
        self._weights = weights
        self._epsilon = float(config.get("layer_norm_eps", 1e-12))

    def embeddings(self) -> None:
        """Word + position + type, normalised."""
        places = self._weights["embeddings.position_embeddings.weight"]
        if FAMILIES[self._config["model_type"]]:
            places = places[int(self._config.get("pad_token_id", 1)) + 1 :]
        places = places + self._weights["embeddings.token_type_embeddings.weight"][0]
        self._node("Gather", [self._weight("words", self._weights[_WORDS]), "ids"], "words_of")
        self._node("Shape", ["ids"], "length", start=1, end=2)
        cut = [self._weight("places", places), self._number("zero", 0), "length"]
        self._node("Slice", cut, "places_of")
        self._node("Add", ["words_of", "places_of"], "sum")
        norm = [self._own(f"embeddings.LayerNorm.{part}") for part in ("weight", "bias")]
        self._node("LayerNormalization", ["sum", *norm], "hidden", axis=-1, epsilon=self._epsilon)
        self.at = "hidden"

    def layer(self, number: int) -> None:
        """Attention, then feed-forward, each with its residual and norm."""
        p = f"encoder.layer.{number}."
        parts = [f"{p}attention.self.{part}." for part in ("query", "key", "value")]
        joint = self._weight(f"{p}qkv", np.concatenate([self._weights[x + "weight"].T for x in parts], axis=1))
        bias = self._weight(f"{p}qkv_bias", np.concatenate([self._weights[x + "bias"] for x in parts]))
        heads = self._config["num_attention_heads"]
        self._node("Attention", [self.at, joint, bias], f"{p}context", domain=_FUSED, num_heads=heads)
        self._dense_and_norm(f"{p}context", f"{p}attention.output.")
        self._node("MatMul", [self.at, self._turned(f"{p}intermediate.dense.weight")], f"{p}wide")
        wide = [f"{p}wide", self._own(f"{p}intermediate.dense.bias")]
        self._node("BiasGelu", wide, f"{p}active", domain=_FUSED)
        self._dense_and_norm(f"{p}active", f"{p}output.")

    def pool(self, mode: str) -> None:
        """One vector of length 1 a row: the mean of its tokens, or the first token's."""
        if mode == "mean":
            self._node("ReduceMean", [self.at, self._number("tokens", 1)], "pooled", keepdims=0)
        else:
            self._node("Gather", [self.at, self._number("first", 0, flat=False)], "pooled", axis=1)
        self._node("LpNormalization", ["pooled"], "vectors", axis=-1, p=2)

    def _dense_and_norm(self, entering: str, p: str) -> None:
        self._node("MatMul", [entering, self._turned(f"{p}dense.weight")], f"{p}dense")
        scale, shift, bias = (self._own(p + x) for x in ("LayerNorm.weight", "LayerNorm.bias", "dense.bias"))
        inputs = [f"{p}dense", self.at, scale, shift, bias]
        self._node("SkipLayerNormalization", inputs, f"{p}normed", domain=_FUSED, epsilon=self._epsilon)
        self.at = f"{p}normed"

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def _own(self, name: str) -> str:
        return self._weight(name, self._weights[name])

    def _turned(self, name: str) -> str:
        return self._weight(name, self._weights[name].T)  # torch keeps (out, in)

    def _weight(self, name: str, array: NDArray[np.float32]) -> str:
        """Declare an initializer whose data is handed over when the session opens."""
        from onnx import TensorProto

        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=array.shape)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="in memory")
        self.initializers.append(tensor)
        self.external[name] = np.ascontiguousarray(array)
        return name

    def _number(self, name: str, value: int, *, flat: bool = True) -> str:
        from onnx import numpy_helper

        self.initializers.append(numpy_helper.from_array(np.array([value] if flat else value, np.int64), name))
        return name
