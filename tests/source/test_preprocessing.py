"""Which of Keras's own preprocessing a training applies to its pictures, read from its statements."""

from __future__ import annotations

import pytest

from cloudml_magic.source import AppliedPreprocessing, applied_preprocessing

VGG = "keras.applications.vgg16.preprocess_input"
INCEPTION = "keras.applications.inception_v3.preprocess_input"

BEFORE = {
    "by its full name": "import keras\nx = keras.applications.vgg16.preprocess_input(x)",
    "by another name": "from keras.applications.vgg16 import preprocess_input as pre\nx = pre(x)",
    "through TensorFlow": "import tensorflow as tf\nx = tf.keras.applications.vgg16.preprocess_input(x)",
    "by its module": "from tensorflow.keras.applications import vgg16\nx = vgg16.preprocess_input(x)",
    "by a module's other name": "import keras.applications.vgg16 as v\nx = v.preprocess_input(x)",
    "held in a variable": "import keras\npre = keras.applications.vgg16.preprocess_input\nx = pre(x)",
    "mapped over a dataset": "from keras.applications.vgg16 import preprocess_input\nds = ds.map(lambda x, y: (preprocess_input(x), y))",
    "handed to a generator": "import keras\ng = keras.preprocessing.image.ImageDataGenerator(preprocessing_function=keras.applications.vgg16.preprocess_input)",
    "in a function of data": "import keras\ndef load(path):\n    image = read(path)\n    return keras.applications.vgg16.preprocess_input(image)\nds = ds.map(load)",
    "beside a model": "import keras\nmodel = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])\nmodel.fit(keras.applications.vgg16.preprocess_input(x), y)",
    "before asking a part of a model": "import keras\nbase = keras.applications.VGG16(include_top=False)\nf = base.predict(keras.applications.vgg16.preprocess_input(x))",
}
INSIDE = {
    "on an input": "import keras\ni = keras.Input((8, 8, 3))\nx = keras.applications.vgg16.preprocess_input(i)\nm = keras.Model(i, x)",
    "on what follows an input": "import keras\ni = keras.Input((8, 8, 3))\nx = augment(i)\nx = keras.applications.vgg16.preprocess_input(x)",
    "in a function that builds": "import keras\ndef build():\n    i = keras.Input((8, 8, 3))\n    return keras.Model(i, head(keras.applications.vgg16.preprocess_input(i)))",
    "in a function given a tensor": "import keras\ndef block(t):\n    return keras.applications.vgg16.preprocess_input(t)\ni = keras.Input((8, 8, 3))\nx = block(i)",
    "in a Lambda layer": "import keras\nm = keras.Sequential([keras.layers.Lambda(keras.applications.vgg16.preprocess_input)])",
    "in a layer of one's own": "import keras\nclass Pre(keras.layers.Layer):\n    def call(self, x):\n        return keras.applications.vgg16.preprocess_input(x)",
    "on a model's own tensor": "import keras\nx = keras.applications.vgg16.preprocess_input(base.output)",
}


@pytest.mark.parametrize("text", BEFORE.values(), ids=BEFORE)
def test_what_is_applied_to_data_is_found(text: str) -> None:
    """By whatever name it is called, directly, mapped or handed over."""
    assert applied_preprocessing([text]) == AppliedPreprocessing(before=(VGG,))


@pytest.mark.parametrize("text", INSIDE.values(), ids=INSIDE)
def test_what_a_model_holds_itself_is_no_preprocessing_before_it(text: str) -> None:
    """Else the exported model would apply it twice."""
    assert applied_preprocessing([text]) == AppliedPreprocessing(inside=(VGG,))


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("x = x / 255", "1/255"),
        ("x = x.astype('float32') / 255.", "1/255"),
        ("x /= 255.0", "1/255"),
        ("def load(image):\n    return tf.cast(image, tf.float32) / 127.5 - 1", "1/127.5-1"),
        ("layer = keras.layers.Rescaling(1 / 255)", None),
        ("i = keras.Input((8, 8, 3))\nx = i / 255", None),
        ("x = x / 100", None),
    ],
)
def test_a_division_by_255_is_noticed(text: str, factor: str | None) -> None:
    """Of data, not of a number and not inside the model."""
    assert applied_preprocessing([text]).scaling == factor


def test_every_function_is_told() -> None:
    """Two of them are two, over several statements; an import alone is none, nor is a function of that name elsewhere."""
    texts = [
        "import keras",
        "a = keras.applications.vgg16.preprocess_input(x)",
        "b = keras.applications.inception_v3.preprocess_input(y)",
    ]
    assert applied_preprocessing(texts).before == (INCEPTION, VGG)
    assert applied_preprocessing(["from keras.applications.vgg16 import preprocess_input"]) == AppliedPreprocessing()
    assert (
        applied_preprocessing(["from mine import preprocess_input\nx = preprocess_input(x)"]) == AppliedPreprocessing()
    )
    assert applied_preprocessing(["def ("]) == AppliedPreprocessing()
