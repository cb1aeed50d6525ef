"""What computes: token ids of equal length in, vectors out. onnxruntime on the CPU, torch anywhere."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.embed.encoder_files import EncoderFiles


class OnnxRunner:
    """onnxruntime over the graph that `bert_graph` draws."""

    # 256 rows of 6 tokens ran at the same rate as 1,365, and stay in the processor's cache
    budget = 2048

    def __init__(self, files: EncoderFiles, threads: int) -> None:
        import onnxruntime

        from dbt_schema_embed.embed.bert_graph import draw

        self.name = "onnxruntime, cpu, float32"
        graph, external = draw(files)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._arrays = external  # onnxruntime may read them in place
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in external.values()]
        options.add_external_initializers(list(external), values)
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors (n, d) of token ids (n, t)."""
        vectors: NDArray[np.float32] = self._session.run(None, {"ids": ids})[0]
        return vectors


class TorchRunner:
    """The transformer of a sentence-transformers pipeline, pooled here without padding."""

    def __init__(self, pipeline: Any, files: EncoderFiles, device: str, precision: str) -> None:
        self.name = f"torch, {device}, {precision}"
        self.budget = 2048 if device == "cpu" else 65536
        self._transformer = pipeline[0].auto_model
        self._first = files.pooling == "cls"
        self._device = device

    def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors (n, d) of token ids (n, t)."""
        import torch

        with torch.inference_mode():
            batch = torch.from_numpy(ids).to(self._device)
            hidden = self._transformer(input_ids=batch, attention_mask=torch.ones_like(batch)).last_hidden_state
            pooled = hidden[:, 0] if self._first else hidden.mean(dim=1, dtype=torch.float32)
            vectors: NDArray[np.float32] = torch.nn.functional.normalize(pooled.float(), dim=-1).cpu().numpy()
            return vectors


def threads_for(max_workers: int | None) -> int:
    """Threads to compute with: ``max_workers``, or the cores this process may use."""
    if max_workers:
        return max_workers
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
