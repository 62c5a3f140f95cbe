"""A batch from file to file, in the process of a batch job once its model is loaded, against the model in memory."""

from __future__ import annotations

import gc
import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import Row, median, seconds, side_by_side

_ROWS, _COLUMNS, _BY_ROW = 100_000, 20, 1000
_PICTURES, _SIDE = 400, 224


def rows() -> Iterator[Row]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with TemporaryDirectory() as text:
        folder = Path(text)
        yield from _table(folder)
        yield from _pictures(folder)


def _table(folder: Path) -> Iterator[Row]:
    import keras
    import numpy as np
    import orjson

    keras.utils.set_random_seed(1)
    layers = [keras.layers.Input((_COLUMNS,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    _export(model, folder / "table")
    array = np.random.default_rng(1).random((_ROWS, _COLUMNS), np.float32)
    file = folder / "rows.jsonl"
    file.write_bytes(
        b"".join(orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE) for row in array)
    )
    batch = _batch(folder, folder / "table", file, "jsonl")
    signature = _signature(folder / "table")
    name = next(iter(signature.structured_input_signature[1]))

    def whole() -> object:
        return model.predict(array, batch_size=1024, verbose=0)

    def row_by_row() -> float:
        def ask() -> None:
            import tensorflow as tf

            for row in array[:_BY_ROW]:
                signature(**{name: tf.constant(row[None])})["output_0"].numpy()

        return seconds(ask) * _ROWS / _BY_ROW

    whole(), batch(), row_by_row()
    times = side_by_side(lambda: seconds(whole), lambda: seconds(batch), row_by_row)
    yield _ratio(
        "batch, 100,000 rows x 20, JSONL in and out: rate over model.predict in memory", times[0], times[1], 0.45
    )
    yield _ratio("the same: rate over the signature row by row", times[2], times[1], 100)


def _pictures(folder: Path) -> Iterator[Row]:
    import keras
    import numpy as np

    keras.utils.set_random_seed(1)
    model = keras.applications.MobileNetV2(weights=None, classes=10, input_shape=(_SIDE, _SIDE, 3))
    _export(model, folder / "mobilenet", preprocess="keras.applications.mobilenet_v2.preprocess_input")
    names = _photographs(folder / "buckets" / "pictures")
    file = folder / "names.txt"
    file.write_text("".join(f"gs://pictures/{name}\n" for name in names))
    batch = _batch(folder, folder / "mobilenet", file, "file-list")
    signature = _signature(folder / "mobilenet", "pixels")
    pixels = np.random.default_rng(1).uniform(0, 255, (32, _SIDE, _SIDE, 3)).astype(np.float32)

    def raw() -> None:
        import tensorflow as tf

        for first in range(0, _PICTURES, 32):
            signature(pixels=tf.constant(pixels[: min(32, _PICTURES - first)]))["output_0"].numpy()

    raw(), batch()
    times = side_by_side(lambda: seconds(raw), lambda: seconds(batch))
    yield _ratio("batch, 400 JPEGs, MobileNetV2: rate over the raw signature, batches of 32", times[0], times[1], 0.8)


def _ratio(what: str, theirs: list[float], ours: list[float], bar: float) -> Row:
    return Row(what, median([one / other for one, other in zip(theirs, ours, strict=True)]), "x", bar, at_least=True)


def _export(model: Any, folder: Path, **options: Any) -> None:
    from cloudml_magic.trainer.export import export_model

    export_model(model, str(folder), name=folder.name, warn=lambda text: None, **options)


def _batch(folder: Path, model: Path, file: Path, format: str) -> Callable[[], None]:
    """What a batch job does after its model is loaded: everything from the input file to both output files."""
    from cloudml_magic.model_folder import read_folder
    from cloudml_magic.serving.batch.finishing import finish
    from cloudml_magic.serving.batch.share import ShareWork
    from cloudml_magic.serving.batch.shares import shares_of
    from cloudml_magic.serving.batch.specification import InputObject, Specification
    from cloudml_magic.serving.loading import chosen_engine

    engine, interface = chosen_engine(model, None), read_folder(model)
    found = file.stat()
    given = (InputObject("gs://pictures/input", file, found.st_size, found.st_mtime_ns),)

    def batch() -> None:
        for part in (folder / "out", folder / "state"):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
        specification = Specification(
            "m@1", model, None, format, given, folder / "buckets", folder / "out", "gs://b/out", folder / "state"
        )
        shares = shares_of(specification)
        work = ShareWork(specification, 0, shares.ranges[0], interface, engine, lambda confirmed: None)
        done = work.run()
        finish(specification, [done])
        assert (done.succeeded, done.failed) == (shares.total, 0)

    return batch


def _signature(folder: Path, name: str = "serving_default") -> Any:
    import tensorflow as tf

    model = tf.saved_model.load(str(folder))
    signature = model.signatures[name]
    # The model is kept because its signatures do not keep it alive.
    signature.owner = model
    gc.collect()
    return signature


def _photographs(folder: Path) -> list[str]:
    import numpy as np
    from PIL import Image

    folder.mkdir(parents=True)
    noise = np.random.default_rng(1)
    names = [f"{number}.jpg" for number in range(_PICTURES)]
    for name in names:
        stream = io.BytesIO()
        small = Image.fromarray(noise.integers(0, 255, (40, 50, 3), np.uint8))
        small.resize((500, 375), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=85)
        (folder / name).write_bytes(stream.getvalue())
    return names
