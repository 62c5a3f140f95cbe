"""Writes a model as a SavedModel: one signature for each way to ask it."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

from ..whole_files import is_disk_full
from .calling import Calling, Input, calling_of, readings_of
from .not_exportable import NotExportableError, told
from .picture import INPUT, Picture, decoded
from .preprocessing import Preprocessing

Tensors = dict[str, dict[str, Any]]
Signatures = dict[str, dict[str, Tensors]]


def write_saved_model(model: Any, folder: str, picture: Picture | None, before: Preprocessing | None) -> Signatures:
    """Writes it into the folder; what the manifest says of its signatures, each name with dtype and shape."""
    readings = (False,) if picture is not None else readings_of(model)
    problems: list[Exception] = []
    for text in readings:
        try:
            return _written(calling_of(model, text), folder, picture, before)
        except NotExportableError:
            raise
        except Exception as problem:
            if is_disk_full(problem):
                raise
            problems.append(problem)
    raise NotExportableError(
        f"The model {model.name} cannot be written as a SavedModel ({told(problems[0])}).",
        "What its layers do has to be TensorFlow's or keras.ops' own operations, for any batch size.",
    ) from problems[0]


def _written(calling: Calling, folder: str, picture: Picture | None, before: Preprocessing | None) -> Signatures:
    import keras

    archive = keras.export.ExportArchive()
    archive.track(calling.model)
    functions = {}
    if picture is None:
        functions["serving_default"] = _tensors(archive, "serving_default", calling)
    else:
        functions["tensors"] = _tensors(archive, "tensors", calling)
        # TensorFlow calls what it has traced; JAX's tracing begins at the pixels anew.
        asked = functions["tensors"] if keras.backend.backend() == "tensorflow" else calling
        functions["pixels"] = _pixels(archive, asked, picture, before)
        functions["serving_default"] = _encoded(archive, functions["pixels"], picture)
    with redirect_stdout(io.StringIO()), _quiet():
        archive.write_out(folder, verbose=False)
    inputs = {"tensors": calling.inputs, "pixels": (), "serving_default": calling.inputs}
    if picture is not None:
        inputs["pixels"] = (Input("pixels", "float32", picture.pixel_shape),)
        inputs["serving_default"] = (Input(INPUT, "string", (None,)),)
    order = ("serving_default", "pixels", "tensors")
    return {
        name: {
            "inputs": {one.name: {"dtype": one.dtype, "shape": list(one.shape)} for one in inputs[name]},
            "outputs": _outputs(functions[name], calling.output_order),
        }
        for name in order
        if name in functions
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """TensorFlow tells where it writes: a temporary folder, which is no news to anybody."""
    log = logging.getLogger("tensorflow")
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


def _tensors(archive: Any, name: str, calling: Calling) -> Any:
    import tensorflow as tf

    specs = {one.name: tf.TensorSpec(one.shape, one.dtype, name=one.name) for one in calling.inputs}
    return archive.add_endpoint(name, lambda inputs: calling(inputs), input_signature=[specs])


def _pixels(archive: Any, asked: Callable[[Any], Any], picture: Picture, before: Preprocessing | None) -> Any:
    import keras
    import tensorflow as tf

    def predict(pixels: Any) -> Any:
        ready = pixels if before is None else _preprocessed(pixels, before)
        if picture.input.dtype.startswith(("int", "uint")):
            ready = keras.ops.round(ready)
        return asked({picture.input.name: keras.ops.cast(ready, picture.input.dtype)})

    return archive.add_endpoint(
        "pixels", predict, input_signature=[tf.TensorSpec(picture.pixel_shape, tf.float32, name="pixels")]
    )


def _preprocessed(pixels: Any, before: Preprocessing) -> Any:
    try:
        ready = before.apply(pixels)
        shape = tuple(ready.shape)
    except Exception as problem:
        raise NotExportableError(
            f"The preprocessing {before.name} cannot become part of the model ({told(problem)}).",
            "It has to take a batch of pictures as one tensor, and use arithmetic, TensorFlow or keras.ops alone.",
        ) from problem
    if shape[1:] != tuple(pixels.shape)[1:]:
        raise NotExportableError(
            f"The preprocessing {before.name} makes pictures of shape {shape[1:]} from {tuple(pixels.shape)[1:]}.",
            "It has to keep their shape: sizes and channels are made to fit before it.",
        )
    return ready


def _encoded(archive: Any, pixels: Callable[[Any], Any], picture: Picture) -> Any:
    import tensorflow as tf

    def predict(image_bytes: Any) -> Any:
        return pixels(picture.fitted(decoded(image_bytes, picture)))

    signature = [tf.TensorSpec((None,), tf.string, name=INPUT)]
    function = tf.function(predict, input_signature=signature, autograph=False)
    # A function that was traced goes in as it is, also where the model itself is JAX's.
    function.get_concrete_function()
    archive.add_endpoint("serving_default", function)
    return function


def _outputs(function: Any, order: list[str]) -> Tensors:
    outputs = function.get_concrete_function().structured_outputs
    return {
        name: {"dtype": outputs[name].dtype.name, "shape": [None, *outputs[name].shape[1:].as_list()]}
        if outputs[name].shape.rank is not None
        else {"dtype": outputs[name].dtype.name, "shape": [None]}
        for name in order
    }
