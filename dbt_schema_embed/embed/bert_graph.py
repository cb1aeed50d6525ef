"""A BERT-shaped encoder as an ONNX graph over its own weights file.

The graph is a page of nodes with onnxruntime's fused kernels; the weights are handed over as they lie in the file.
Nothing is exported and nothing is copied to disk, so the first run on a machine is as fast as the next, and torch is
not needed. `probe` proves the result against the float32 encoder before it is used.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.embed.encoder_files import EncoderFiles
from dbt_schema_embed.embed.onnx_bytes import FLOAT, model, node, tensor, value

FAMILIES = {"bert": 0, "roberta": 1, "xlm-roberta": 1, "camembert": 1}
"""model_type -> whether positions start after the padding token's number, as RoBERTa counts them."""

_FUSED = "com.microsoft"
_WORDS = "embeddings.word_embeddings.weight"

Array = NDArray[np.float32]
Weights = dict[str, Array]
Arrays = dict[str, NDArray[Any]]


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


def draw(files: EncoderFiles, *, int8: bool = False) -> tuple[bytes, Arrays]:
    """The graph, ids (n, t) int64 -> vectors (n, d) float32 of length 1, and the arrays its initializers name.

    Raises:
        KeyError: the weights file lacks a tensor of this family.
    """
    graph = _Graph(files.config, _read(files.weights[0]), int8)
    graph.embeddings()
    for layer in range(files.config["num_hidden_layers"]):
        graph.layer(f"encoder.layer.{layer}.")
    graph.pool(files.pooling or "mean")
    entering, leaving = value("ids", "int64", ["n", "t"]), value("vectors", "float32", ["n", files.dim])
    return model(graph.nodes, graph.tensors, entering, leaving), graph.arrays


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

    def __init__(self, config: dict[str, Any], weights: Weights, int8: bool) -> None:
        self.nodes: list[bytes] = []
        self.tensors: list[bytes] = []
        self.arrays: Arrays = {}
        self.at = "ids"
        self._config = config
        self._weights = weights
        self._int8 = int8
        self._epsilon = float(config.get("layer_norm_eps", 1e-12))

    def embeddings(self) -> None:
        """Word + position + type, normalised."""
        places = self._weights["embeddings.position_embeddings.weight"]
        if FAMILIES[self._config["model_type"]]:
            places = places[int(self._config.get("pad_token_id", 1)) + 1 :]
        places = places + self._weights["embeddings.token_type_embeddings.weight"][0]
        self._node("Gather", [self._array("words", self._weights[_WORDS]), "ids"], "words_of")
        self._node("Shape", ["ids"], "length", start=1, end=2)
        self._node("Slice", [self._array("places", places), self._array("zero", np.array([0])), "length"], "places_of")
        self._node("Add", ["words_of", "places_of"], "sum")
        norm = [self._own(f"embeddings.LayerNorm.{part}") for part in ("weight", "bias")]
        self._node("LayerNormalization", ["sum", *norm], "hidden", axis=-1, epsilon=self._epsilon)
        self.at = "hidden"

    def layer(self, p: str) -> None:
        """Attention, then feed-forward, each with its residual and norm. ``p`` begins its tensors' names."""
        parts = [f"{p}attention.self.{part}." for part in ("query", "key", "value")]
        joint = np.concatenate([self._weights[x + "weight"] for x in parts])
        bias = self._array(f"{p}joint.bias", np.concatenate([self._weights[x + "bias"] for x in parts]))
        self._matmul(self.at, f"{p}joint", joint)
        size = self._array(f"{p}size", np.array([len(joint) // 3] * 3))
        each = [f"{p}q", f"{p}k", f"{p}v"]
        self._node("Split", [f"{p}joint", size], *each, axis=-1)
        heads = self._config["num_attention_heads"]
        self._node("MultiHeadAttention", [*each, bias], f"{p}context", domain=_FUSED, num_heads=heads)
        self._dense_and_norm(f"{p}context", f"{p}attention.output.")
        self._matmul(self.at, f"{p}wide", self._weights[f"{p}intermediate.dense.weight"])
        wide = [f"{p}wide", self._own(f"{p}intermediate.dense.bias")]
        self._node("BiasGelu", wide, f"{p}active", domain=_FUSED)
        self._dense_and_norm(f"{p}active", f"{p}output.")

    def pool(self, mode: str) -> None:
        """One vector of length 1 a row: the mean of its tokens, or the first token's."""
        if mode == "mean":
            self._node("ReduceMean", [self.at, self._array("tokens", np.array([1]))], "pooled", keepdims=0)
        else:
            self._node("Gather", [self.at, self._array("first", np.array(0))], "pooled", axis=1)
        self._node("LpNormalization", ["pooled"], "vectors", axis=-1, p=2)

    def _dense_and_norm(self, entering: str, p: str) -> None:
        self._matmul(entering, f"{p}dense", self._weights[f"{p}dense.weight"])
        scale, shift, bias = (self._own(p + x) for x in ("LayerNorm.weight", "LayerNorm.bias", "dense.bias"))
        # onnxruntime's node for these three, SkipLayerNormalization, takes four times as long on the CPU.
        self._node("Add", [f"{p}dense", bias], f"{p}biased")
        self._node("Add", [f"{p}biased", self.at], f"{p}sum")
        self._node("LayerNormalization", [f"{p}sum", scale, shift], f"{p}normed", axis=-1, epsilon=self._epsilon)
        self.at = f"{p}normed"

    def _matmul(self, entering: str, out: str, weight: Array) -> None:
        """``out`` = ``entering`` times ``weight``, which is (out, in) as torch keeps it."""
        if self._int8:
            self._matmul_int8(entering, out, weight)
        else:
            self._node("MatMul", [entering, self._array(f"{out}.weight", weight.T)], out)

    def _matmul_int8(self, entering: str, out: str, weight: Array) -> None:
        """The same in bytes: one scale for each output of the weight and for each token entering.

        A scale for each token, not for the batch as onnxruntime's own node has it: a text's vector must not depend on
        the texts beside it.
        """
        scale = np.maximum(np.abs(weight).max(axis=1), 1e-12) / 127
        stored = self._array(f"{out}.int8", np.round(weight / scale[:, None]).astype(np.int8).T)
        middle = self._array(f"{out}.middle", np.array(128, np.uint8))  # unsigned activations have the fast kernels
        unit = self._array(f"{out}.unit", np.array(1, np.float32))
        self._node("Abs", [entering], f"{out}.abs")
        self._node("ReduceMax", [f"{out}.abs", self._array(f"{out}.last", np.array([-1]))], f"{out}.max", keepdims=1)
        self._node("Mul", [f"{out}.max", self._array(f"{out}.step", np.array(1 / 127, np.float32))], f"{out}.scale")
        self._node("Div", [entering, f"{out}.scale"], f"{out}.steps")
        self._node("QuantizeLinear", [f"{out}.steps", unit, middle], f"{out}.bytes")
        self._node("MatMulInteger", [f"{out}.bytes", stored, middle], f"{out}.sum")
        self._node("Cast", [f"{out}.sum"], f"{out}.float", to=FLOAT)
        columns = self._array(f"{out}.columns", scale.astype(np.float32))
        self._node("Mul", [f"{out}.float", columns], f"{out}.scaled")
        self._node("Mul", [f"{out}.scaled", f"{out}.scale"], out)

    def _node(self, kind: str, inputs: list[str], *outputs: str, domain: str = "", **attributes: float) -> None:
        self.nodes.append(node(kind, inputs, outputs, domain, **attributes))

    def _own(self, name: str) -> str:
        return self._array(name, self._weights[name])

    def _array(self, name: str, array: NDArray[Any]) -> str:
        """Declare an initializer. A small one lies in the graph, the others are handed over when the session opens."""
        array = np.ascontiguousarray(array) if array.ndim else array
        apart = array.size >= 16
        self.tensors.append(tensor(name, array, apart=apart))
        if apart:
            self.arrays[name] = array
        return name
