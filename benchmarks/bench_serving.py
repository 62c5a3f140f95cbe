"""Answers over HTTP against the direct call of the SavedModel in this process, window by window in turns."""

from __future__ import annotations

import base64
import gc
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.load import ask, call_milliseconds, calls_per_second, milliseconds, per_second
from benchmarks.measure import Row, median, side_by_side
from benchmarks.served_models import (
    SIDE,
    Served,
    certified,
    npy,
    request_bytes,
    serving,
    without_pictures,
    write_dense,
    write_mobilenet,
)

_CLIENTS = 8
_SHORT, _LONG = 0.7, 1.5


def rows() -> Iterator[Row]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with TemporaryDirectory() as text:
        folder = Path(text)
        yield from _dense(folder)
        yield from _mobilenet(folder)


def _dense(folder: Path) -> Iterator[Row]:
    import numpy as np

    write_dense(folder / "dense")
    row = np.random.default_rng(1).random((1, 784), np.float32)
    direct = _signature(folder / "dense", row)
    request = request_bytes(_json_of(row))
    certified(folder / "dense", folder / "dense-engine")
    # As it is deployed, by the certified engine; and by the reference, on which other models stay.
    for engine in (folder / "dense-engine", None):
        with serving(folder / "dense", engine) as served:
            times = side_by_side(
                lambda: milliseconds(served.port, request, _SHORT), lambda: call_milliseconds(direct, _SHORT)
            )
            extra = median([over - alone for over, alone in zip(*times, strict=True)])
            yield Row(f"dense, JSON, 1 client, {served.engine}: answer over the direct call", extra, "ms more", 0.5)
            rates = side_by_side(
                lambda: per_second(served.port, request, _CLIENTS, _SHORT),
                lambda: calls_per_second(direct, _CLIENTS, _SHORT),
            )
            what = f"dense, JSON, 8 clients, {served.engine}: answers over direct single-row calls"
            yield _at_least(what, rates, 1.3)


def _mobilenet(folder: Path) -> Iterator[Row]:
    import numpy as np

    model = folder / "mobilenet"
    write_mobilenet(model)
    pixels = np.random.default_rng(1).uniform(0, 255, (1, SIDE, SIDE, 3)).astype(np.float32)
    direct = _signature(model, pixels)
    binary = request_bytes(npy(pixels), "application/x-npy")
    numbers = request_bytes(_json_of(pixels))
    picture = _photograph(pixels[0])
    with serving(model) as served:
        for what, request, bar in (("binary", binary, 0.95), ("JSON floats", numbers, 0.4)):
            rates = side_by_side(
                lambda request=request: per_second(served.port, request, _CLIENTS, _LONG),
                lambda: calls_per_second(direct, _CLIENTS, _LONG),
            )
            yield _at_least(f"MobileNetV2, {what}, 8 clients, TensorFlow: answers over direct calls", rates, bar)
        yield from _picture_against_numbers(served, picture)
    without_pictures(model)
    certified(model, folder / "engine")
    yield from _fast(model, folder / "engine", direct, binary)


def _fast(model: Path, engine: Path, direct: Callable[[], object], binary: bytes) -> Iterator[Row]:
    firsts = side_by_side(lambda: _first_answer(model, engine, binary))[0]
    yield Row("fast engine: process start to first answer", median(firsts), "s", 1)
    with serving(model, engine) as served:
        times = side_by_side(lambda: call_milliseconds(direct, _LONG), lambda: milliseconds(served.port, binary, _LONG))
        yield _at_least("MobileNetV2, 1 client, fast engine: times faster than the direct call", times, 3)
        per_second(served.port, binary, _CLIENTS, _LONG)
        yield Row("fast engine: resident, after 8 clients", _resident(served.pid), "MB", 200)
        mapped = Path(f"/proc/{served.pid}/maps").read_text()
        yield Row("fast engine: libraries of TensorFlow in the process", mapped.count("libtensorflow"), "", 0)


def _at_least(what: str, taken: list[list[float]], bar: float) -> Row:
    return Row(what, median([one / other for one, other in zip(*taken, strict=True)]), "x", bar, at_least=True)


def _first_answer(model: Path, engine: Path, request: bytes) -> float:
    began = time.perf_counter()
    with serving(model, engine) as served:
        milliseconds(served.port, request, 0)
        return time.perf_counter() - began


def _signature(folder: Path, row: Any) -> Callable[[], object]:
    """The direct call: a SavedModel's signature on one row, its answer as an array."""
    import tensorflow as tf

    model = tf.saved_model.load(str(folder))
    signature = model.signatures["serving_default"]
    name = next(iter(signature.structured_input_signature[1]))

    def call() -> object:
        # The model is named here because its signatures do not keep it alive.
        return model and signature(**{name: tf.constant(row)})["output_0"].numpy()

    call()
    gc.collect()
    gc.freeze()
    return call


def _json_of(array: Any) -> bytes:
    """Each number with as many digits as it needs to come back as the same float32."""
    import orjson

    return orjson.dumps({"instances": array}, option=orjson.OPT_SERIALIZE_NUMPY)


def _picture_against_numbers(served: Served, content: bytes) -> Iterator[Row]:
    """From a picture file to its answer, as a client without this package sends it: its bytes, or its floats."""
    import numpy as np
    from PIL import Image

    def as_bytes() -> bytes:
        text = base64.b64encode(content).decode()
        return json.dumps({"signature_name": "encoded", "instances": [{"b64": text}]}).encode()

    def as_numbers() -> bytes:
        image = Image.open(io.BytesIO(content)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        return json.dumps({"instances": [np.asarray(image, np.float32).tolist()]}).encode()

    fewer = len(as_numbers()) / len(as_bytes())
    yield Row("JPEG against JSON floats: times fewer bytes", fewer, "x", 10, at_least=True)
    times = side_by_side(
        *(
            lambda body=body: call_milliseconds(lambda: ask(served.port, request_bytes(body())), _LONG)
            for body in (as_numbers, as_bytes)
        )
    )
    yield _at_least("JPEG against JSON floats, 1 client, file to answer: times faster", times, 3)


def _photograph(pixels: Any) -> bytes:
    """A JPEG file with a photograph's worth of detail: noise would be larger than any picture."""
    from PIL import Image

    stream = io.BytesIO()
    small = Image.fromarray(pixels.astype("uint8")).resize((56, 56))
    small.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
