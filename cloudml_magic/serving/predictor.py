"""A loaded model that answers requests: interface, engine and the queue before it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import ModelInterface, PictureInput
from cloudml_magic.serving import pictures
from cloudml_magic.serving.batching import Batcher
from cloudml_magic.serving.engines import Engine, ModelRefusedError, Tensors
from cloudml_magic.serving.metrics import Metrics
from cloudml_magic.serving.refusals import RefusedError
from cloudml_magic.serving.requests import PredictRequest

PIXELS = "pixels"
_DECODERS = 2


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What a process serves, once it is loaded; `manifest` is what cloudml.json holds, None without one."""

    interface: ModelInterface
    engine: Engine
    manifest: Any = None


class Predictor:
    """Answers requests of the one model, several of them together where they wait."""

    def __init__(self, model: LoadedModel, metrics: Metrics) -> None:
        self.interface = model.interface
        self.manifest = model.manifest
        self.engine = model.engine
        self._loop = asyncio.get_running_loop()
        self._batcher = Batcher(model.engine, self._loop, metrics.batch_rows.observe)
        self._decoders = ThreadPoolExecutor(_DECODERS, thread_name_prefix="pictures")

    @property
    def waiting_rows(self) -> int:
        """How many instances wait or are being computed."""
        return self._batcher.waiting_rows

    async def outputs(self, request: PredictRequest) -> Tensors:
        """The outputs for one request, in the order of its signature."""
        picture = self._picture(request)
        try:
            if picture is None:
                found = await self._batcher.submit(request.signature.name, request.tensors, _row_bytes(request))
            else:
                found = await self._of_pictures(request, picture)
        except ModelRefusedError as problem:
            raise RefusedError(400, f"The model refuses these instances: {str(problem).rstrip('.')}.") from None
        except CloudMLError as problem:
            raise RefusedError.of(problem) from None
        return {spec.name: found[spec.name] for spec in request.signature.outputs}

    def _picture(self, request: PredictRequest) -> PictureInput | None:
        """How the signature takes encoded pictures, if it does."""
        picture = self.interface.picture
        spec = request.signature.inputs[0]
        takes = picture is not None and spec.name == picture.input and spec.dtype == "string"
        return picture if takes and len(spec.shape) == 1 else None

    async def _of_pictures(self, request: PredictRequest, picture: PictureInput) -> Tensors:
        contents: Sequence[bytes] = request.tensors[picture.input]
        good = await self._loop.run_in_executor(self._decoders, pictures.checked, contents, picture)
        if not self.engine.answers(request.signature.name):
            return await self._of_pixels(good.contents, picture)
        inputs = {picture.input: np.array(good.contents, object)}
        try:
            return await self._batcher.submit(request.signature.name, inputs, good.largest)
        except ModelRefusedError:
            # The graph decodes all of them at once and does not say which one it could not.
            damaged = await self._loop.run_in_executor(self._decoders, pictures.undecodable, good.contents)
            if damaged is None:
                raise
            raise damaged from None

    async def _of_pixels(self, contents: Sequence[bytes], picture: PictureInput) -> Tensors:
        """Decodes in front of an engine that cannot, as many pictures at a time as there are threads for it."""
        decoded = await asyncio.gather(
            *(
                self._loop.run_in_executor(self._decoders, pictures.pixels, content, picture, index)
                for index, content in enumerate(contents)
            )
        )
        spec = self.interface.signatures[PIXELS].inputs[0]
        array = np.stack(decoded)
        if len(spec.shape) == 3:
            array = array[..., 0]
        return await self._batcher.submit(PIXELS, {spec.name: array}, array.nbytes // len(array))


def _row_bytes(request: PredictRequest) -> int | None:
    """What one row weighs; None where the signature does not take any number of rows."""
    signature = request.signature
    if any(not spec.shape or spec.shape[0] is not None for spec in (*signature.inputs, *signature.outputs)):
        return None
    arrays = request.tensors.values()
    size: int = sum(array.nbytes for array in arrays)
    return size // max(1, len(next(iter(arrays))))
