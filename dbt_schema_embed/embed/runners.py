"""What computes: token ids of equal length in, vectors out. onnxruntime on the CPU, torch anywhere."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_schema_embed.embed.batches import Cost
from dbt_schema_embed.embed.encoder import DeviceMemoryError
from dbt_schema_embed.embed.encoder_files import EncoderFiles

CPU_BUDGET = 2048
"""Tokens in a batch on the CPU: from 512 to 8,192 the rate is the same, and fewer need less memory."""

GPU_BUDGET = 65536


class OnnxRunner:
    """onnxruntime over the graph that `bert_graph` draws.

    Each batch runs on one thread and several batches run at once. Splitting a batch between threads instead makes
    them wait for each other at every layer: measured 1.5 times slower on a busy machine.
    """

    def __init__(self, files: EncoderFiles, workers: int, *, int8: bool = False) -> None:
        import onnxruntime

        from dbt_schema_embed.embed.bert_graph import draw

        self.name = f"onnxruntime, cpu, {'int8' if int8 else 'float32'}"
        self.cost = Cost(workers, CPU_BUDGET, files.token_bytes, files.max_tokens)
        graph, arrays = draw(files, int8=int8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # The graph is written as it is to run; the next level would fuse nodes into a slower one.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        self._arrays = arrays  # onnxruntime reads them in place
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in arrays.values()]
        options.add_external_initializers(list(arrays), values)
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors (n, d) of token ids (n, t)."""
        vectors: NDArray[np.float32] = self._session.run(None, {"ids": ids})[0]
        return vectors


class TorchRunner:
    """The transformer of a sentence-transformers pipeline, pooled here without padding."""

    def __init__(self, pipeline: Any, files: EncoderFiles, device: str, precision: str) -> None:
        self.name = f"torch, {device}, {precision}"
        on_cpu = device == "cpu"
        # Two batches under way on a GPU: one computes while the other's ids and vectors travel.
        self.cost = Cost(1 if on_cpu else 2, CPU_BUDGET if on_cpu else GPU_BUDGET, files.token_bytes, files.max_tokens)
        self._transformer = pipeline[0].auto_model
        self._first = files.pooling == "cls"
        self._device = device

    def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors (n, d) of token ids (n, t); raises DeviceMemoryError."""
        import torch

        try:
            return self._run(torch, ids)
        except torch.OutOfMemoryError:
            if self._device.startswith("cuda"):
                torch.cuda.empty_cache()
            raise DeviceMemoryError from None

    def _run(self, torch: Any, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        batch = torch.from_numpy(ids)
        if self._device.startswith("cuda"):
            batch = batch.pin_memory()
        with torch.inference_mode():
            batch = batch.to(self._device, non_blocking=True)
            hidden = self._transformer(input_ids=batch, attention_mask=torch.ones_like(batch)).last_hidden_state
            pooled = hidden[:, 0].float() if self._first else hidden.float().mean(dim=1)
            vectors: NDArray[np.float32] = torch.nn.functional.normalize(pooled, dim=-1).cpu().numpy()
        return vectors


def workers_for(max_workers: int | None) -> int:
    """Threads to compute with: ``max_workers``, or the cores this process may use."""
    if max_workers:
        return max_workers
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
