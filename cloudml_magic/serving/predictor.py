"""A loaded model that answers requests: interface, engine and the queue before it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from cloudml_magic.records import ModelInterface
from cloudml_magic.serving.batching import Batcher
from cloudml_magic.serving.engines import Engine, ModelRefusedError, Tensors
from cloudml_magic.serving.metrics import Metrics
from cloudml_magic.serving.refusals import RefusedError
from cloudml_magic.serving.requests import PredictRequest


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What a process serves, once it is loaded."""

    interface: ModelInterface
    engine: Engine


class Predictor:
    """Answers requests of the one model, several of them together where they wait."""

    def __init__(self, model: LoadedModel, metrics: Metrics) -> None:
        self.interface = model.interface
        self.engine = model.engine
        self._batcher = Batcher(model.engine.run, asyncio.get_running_loop(), metrics.batch_rows.observe)

    @property
    def waiting_rows(self) -> int:
        """How many instances wait or are being computed."""
        return self._batcher.waiting_rows

    async def outputs(self, request: PredictRequest) -> Tensors:
        """The outputs for one request, in the order of its signature."""
        signature = request.signature
        try:
            found = await self._batcher.submit(signature.name, request.tensors, self._row_bytes(request))
        except ModelRefusedError as problem:
            raise RefusedError(400, f"The model refuses these instances: {problem}.") from None
        return {spec.name: found[spec.name] for spec in signature.outputs}

    def _row_bytes(self, request: PredictRequest) -> int | None:
        """What one row weighs; None where the signature does not take any number of rows."""
        signature = request.signature
        if any(not spec.shape or spec.shape[0] is not None for spec in (*signature.inputs, *signature.outputs)):
            return None
        arrays = request.tensors.values()
        size: int = sum(array.nbytes for array in arrays)
        return size // max(1, len(next(iter(arrays))))
