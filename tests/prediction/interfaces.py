"""Interfaces of models that tests ask: a picture model, a vector, two inputs, a table of columns, a text."""

from __future__ import annotations

from cloudml_magic.records import ModelInterface, PictureInput, Signature, TensorSpec


def _signature(name: str, outputs: tuple[TensorSpec, ...], *inputs: TensorSpec) -> Signature:
    return Signature(name, inputs, outputs)


CLASSES = (TensorSpec("output_0", "float32", (None, 3)),)
NUMBER = (TensorSpec("output_0", "float32", (None, 1)),)

PICTURES = ModelInterface(
    signatures={
        "serving_default": _signature("serving_default", CLASSES, TensorSpec("image_bytes", "string", (None,))),
        "pixels": _signature("pixels", CLASSES, TensorSpec("pixels", "float32", (None, 8, 8, 1))),
        "tensors": _signature("tensors", CLASSES, TensorSpec("input", "float32", (None, 8, 8, 1))),
    },
    picture=PictureInput("image_bytes", 8, 8, 1),
    task="classification",
    labels={"output_0": ("cat", "dog", "bird")},
    activations={"output_0": "softmax"},
)
COLOURED = ModelInterface(PICTURES.signatures, PictureInput("image_bytes", 8, 8, 3))
VECTOR = ModelInterface(
    {"serving_default": _signature("serving_default", NUMBER, TensorSpec("x", "float32", (None, 4)))}
)
LARGE = ModelInterface(
    {"serving_default": _signature("serving_default", NUMBER, TensorSpec("x", "float32", (None, 50_000)))}
)
TWO = ModelInterface(
    {
        "serving_default": _signature(
            "serving_default", CLASSES, TensorSpec("a", "float32", (None, 2)), TensorSpec("b", "int64", (None, 3))
        )
    }
)
TABLE = ModelInterface(
    {
        "serving_default": _signature(
            "serving_default", NUMBER, TensorSpec("age", "float32", (None, 1)), TensorSpec("work", "string", (None, 1))
        )
    },
    activations={"output_0": "sigmoid"},
    labels={"output_0": ("poor", "rich")},
)
TEXT = ModelInterface(
    {"serving_default": _signature("serving_default", NUMBER, TensorSpec("text", "string", (None, 1)))}
)
BARE_TEXT = ModelInterface(
    {"serving_default": _signature("serving_default", NUMBER, TensorSpec("text", "string", (None,)))}
)
