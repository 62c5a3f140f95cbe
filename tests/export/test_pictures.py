"""A model that takes pictures answers encoded ones as it answers the same pictures that training decoded."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudml_magic.trainer.export import NotExportableError

from .exported import Exported

pytestmark = pytest.mark.slow
HEIGHT, WIDTH = 24, 36


def picture_model(channels: int = 3, shape: tuple[int | None, ...] = (HEIGHT, WIDTH), dtype: str = "float32") -> Any:
    import keras

    keras.utils.set_random_seed(1)
    taken = keras.Input((*shape, channels), name="photo", dtype=dtype)
    x = keras.ops.cast(taken, "float32") / 200.0
    x = keras.layers.Conv2D(4, 3, activation="tanh")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(taken, keras.layers.Dense(5, activation="softmax")(x))


def noise(height: int = 40, width: int = 50, channels: int = 3) -> Any:
    smooth = np.random.default_rng(7).integers(0, 256, (height // 4, width // 4, channels), np.uint8)
    return smooth.repeat(4, 0).repeat(4, 1)[:height, :width]


def encoded(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    """A picture as Pillow writes it."""
    from PIL import Image

    image = Image.fromarray(noise(channels=4), "RGBA").convert(mode)
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


FILES = {
    "JPEG": ("JPEG", "RGB"),
    "grey JPEG": ("JPEG", "L"),
    "PNG": ("PNG", "RGB"),
    "grey PNG": ("PNG", "L"),
    "PNG with transparency": ("PNG", "RGBA"),
    "grey PNG with transparency": ("PNG", "LA"),
    "PNG with a palette": ("PNG", "P"),
    "GIF": ("GIF", "P"),
    "BMP": ("BMP", "RGB"),
    "BMP with transparency": ("BMP", "RGBA"),
}


def read(content: bytes, channels: int) -> Any:
    """TensorFlow's decoders; JPEG by the accurate transform, which Pillow and most others use."""
    import tensorflow as tf

    if content.startswith(b"\xff\xd8"):
        return tf.io.decode_jpeg(content, channels=channels, dct_method="INTEGER_ACCURATE")
    return tf.io.decode_image(content, channels=channels, expand_animations=False)


def decoded_outside(content: bytes, channels: int, size: tuple[int, int] = (HEIGHT, WIDTH)) -> Any:
    """What training does: TensorFlow's decoders and resizing, called eagerly."""
    import tensorflow as tf

    if channels == 3 and not content.startswith(b"BM"):
        image = read(content, 3)
    else:
        image = tf.cast(read(content, 0), tf.float32)
        has = image.shape[-1]
        colours = tf.repeat(image[..., :1], 3, axis=-1) if has <= 2 else image[..., :3]
        alpha = image[..., -1:] if has in (2, 4) else tf.fill(image[..., :1].shape, 255.0)
        grey = image[..., :1] if has <= 2 else tf.image.rgb_to_grayscale(colours)
        image = {1: grey, 3: colours, 4: tf.concat([colours, alpha], -1)}[channels]
    return tf.image.resize(image, size)[None].numpy()


@pytest.fixture(scope="module")
def model() -> Any:
    return picture_model()


@pytest.fixture(scope="module")
def exported(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return Exported(model, tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("file", FILES)
def test_encoded_pictures_are_answered_as_decoded_ones(model: Any, exported: Exported, file: str) -> None:
    """Every format and kind of channels, as bytes and as base64 text in either alphabet, padded or not."""
    content = encoded(*FILES[file])
    expected = model.predict(decoded_outside(content, 3), verbose=0)[0]
    text, other = base64.urlsafe_b64encode(content), base64.b64encode(content)
    answers = exported.ask(image_bytes=[content, text, text.rstrip(b"="), other, other[:80] + b"\n" + other[80:]])
    np.testing.assert_allclose(answers, np.tile(expected, (5, 1)), atol=2e-6)


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("file", FILES)
def test_channels_are_made_to_fit(tmp_path: Path, channels: int, file: str) -> None:
    """Grey models get grey, and models of four channels transparency, from whatever is sent."""
    model = _models(channels)
    exported = _exports(channels, tmp_path)
    content = encoded(*FILES[file])
    expected = model.predict(decoded_outside(content, channels), verbose=0)
    # Decoders turn colours grey with weights of their own, rounded to whole numbers.
    np.testing.assert_allclose(exported.ask(image_bytes=[content]), expected, atol=2e-3 if channels == 1 else 2e-6)


_kept: dict[int, tuple[Any, Exported]] = {}


def _models(channels: int) -> Any:
    return _kept[channels][0] if channels in _kept else picture_model(channels)


def _exports(channels: int, folder: Path) -> Exported:
    if channels not in _kept:
        model = picture_model(channels)
        _kept[channels] = (model, Exported(model, folder))
    return _kept[channels][1]


def test_the_first_frame_of_an_animation_counts(model: Any, exported: Exported) -> None:
    """The others are not looked at."""
    from PIL import Image

    frames = [Image.fromarray(noise()), Image.fromarray(255 - noise())]
    moving, still = io.BytesIO(), io.BytesIO()
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:])
    frames[0].save(still, "GIF")
    both = exported.ask(image_bytes=[moving.getvalue(), still.getvalue()])
    np.testing.assert_array_equal(both[0], both[1])


def test_three_ways_to_ask(model: Any, exported: Exported) -> None:
    """`pixels` and `tensors` take the same numbers where nothing is preprocessed."""
    pixels = np.random.default_rng(1).uniform(0, 255, (3, HEIGHT, WIDTH, 3)).astype("float32")
    expected = model.predict(pixels, verbose=0)
    np.testing.assert_allclose(exported.ask("pixels", pixels=pixels), expected, atol=1e-6)
    np.testing.assert_allclose(exported.ask("tensors", photo=pixels), expected, atol=1e-6)


def test_what_is_no_picture_is_an_error(exported: Exported) -> None:
    """Not a picture of nothing."""
    import tensorflow as tf

    for content in (b"", b"no picture at all!", encoded("JPEG")[:60]):
        with pytest.raises(tf.errors.InvalidArgumentError):
            exported.ask(image_bytes=[content])


def test_the_manifest_tells_how_to_ask(exported: Exported) -> None:
    """Its three signatures, sizes, channels, and what it answers."""
    interface = exported.interface
    assert list(interface.signatures) == ["serving_default", "pixels", "tensors"]
    picture = interface.picture
    assert picture is not None
    assert (picture.input, picture.height, picture.width, picture.channels) == ("image_bytes", HEIGHT, WIDTH, 3)
    assert (picture.resize, picture.preprocess) == ("stretch", None)
    assert interface.signatures["tensors"].inputs[0].name == "photo"
    assert interface.signatures["pixels"].inputs[0].shape == (None, HEIGHT, WIDTH, 3)
    assert interface.signatures["serving_default"].outputs[0].shape == (None, 5)
    assert interface.task == "classification"


@pytest.mark.parametrize("resize", ["crop", "pad"])
@pytest.mark.parametrize("size", [(60, 60), (20, 80), (HEIGHT, WIDTH), (1, 1)])
def test_proportions_are_kept_as_keras_keeps_them(
    model: Any, tmp_path: Path, resize: str, size: tuple[int, int]
) -> None:
    """`crop` and `pad` give what Keras's `crop_to_aspect_ratio` and `pad_to_aspect_ratio` give."""
    import tensorflow as tf

    if resize not in _resizing:
        _resizing[resize] = Exported(model, tmp_path, resize=resize)
    image = noise(80, 80)[: size[0], : size[1]]
    content = tf.io.encode_png(image).numpy()
    expected = model.predict(_by_keras(image, resize)[None], verbose=0)
    np.testing.assert_allclose(_resizing[resize].ask(image_bytes=[content]), expected, atol=2e-6)
    assert _resizing[resize].manifest["picture"]["resize"] == resize


_resizing: dict[str, Exported] = {}


def _by_keras(image: Any, resize: str) -> Any:
    import keras

    how = {f"{resize}_to_aspect_ratio": True, "interpolation": "bilinear"}
    kept = keras.ops.image.resize(np.asarray(image, "float32"), (HEIGHT, WIDTH), **how)
    return keras.ops.convert_to_numpy(kept)


def halved(pixels: Any) -> Any:
    return pixels / 127.5 - 1.0


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("1/255", "1/255"),
        ("1 / 127.5 - 1", "1/127.5-1"),
        ("0.5", "0.5"),
        ("keras.applications.vgg16.preprocess_input", "keras.applications.vgg16.preprocess_input"),
        ("tf.keras.applications.inception_v3", "keras.applications.inception_v3.preprocess_input"),
        ("halved", "halved"),
        (halved, "halved"),
    ],
)
def test_pictures_are_preprocessed_as_in_training(model: Any, tmp_path: Path, given: Any, name: str) -> None:
    """By a factor, one of Keras's functions or the notebook's; for encoded pictures and pixels, not for tensors."""
    import keras

    by_name = {
        "1/255": lambda x: x / 255.0,
        "0.5": lambda x: x * 0.5,
        "keras.applications.vgg16.preprocess_input": keras.applications.vgg16.preprocess_input,
    }
    before = by_name.get(name, halved)
    exported = Exported(model, tmp_path, preprocess=given, captured={"halved": halved})
    content = encoded("PNG")
    pixels = decoded_outside(content, 3)
    ready = before(pixels.copy())
    expected = model.predict(ready, verbose=0)
    np.testing.assert_allclose(exported.ask(image_bytes=[content]), expected, atol=5e-6)
    np.testing.assert_allclose(exported.ask("pixels", pixels=pixels), expected, atol=5e-6)
    np.testing.assert_allclose(exported.ask("tensors", photo=ready), expected, atol=5e-6)
    assert exported.manifest["picture"]["preprocess"] == name


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("nothing", "There is no function 'nothing' to preprocess pictures with. Name a function that takes a batch"),
        (
            "keras.applications.vgg61.preprocess_input",
            "There is no function 'keras.applications.vgg61.preprocess_input'",
        ),
        ("3 + x", "There is no function '3 + x'"),
        (lambda pixels: np.asarray(pixels), "The preprocessing <lambda> cannot become part of the model"),
        (
            lambda pixels: pixels[:, ::2],
            "The preprocessing <lambda> makes pictures of shape (12, 36, 3) from (24, 36, 3)",
        ),
    ],
)
def test_preprocessing_that_cannot_be_served(model: Any, tmp_path: Path, given: Any, sentence: str) -> None:
    """Named, with what it has to be."""
    with pytest.raises(NotExportableError) as refused:
        Exported(model, tmp_path, preprocess=given)
    assert sentence in str(refused.value)


def test_whole_numbers_are_rounded(tmp_path: Path) -> None:
    """A model of uint8 gets what a picture's numbers round to."""
    model = picture_model(dtype="uint8")
    exported = Exported(model, tmp_path)
    content = encoded("PNG")
    expected = model.predict(np.round(decoded_outside(content, 3)).astype("uint8"), verbose=0)
    np.testing.assert_allclose(exported.ask(image_bytes=[content]), expected, atol=2e-6)


def flat_model() -> Any:
    import keras

    return keras.Sequential(
        [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    )


def test_grey_pictures_without_channels_need_a_word(tmp_path: Path) -> None:
    """(28, 28) is any table, unless the user says that it is a picture."""
    model = flat_model()
    assert Exported(model, tmp_path / "table").interface.picture is None
    exported = Exported(model, tmp_path / "picture", picture=True)
    content = encoded("PNG", "L")
    pixels = decoded_outside(content, 1, (28, 28))[..., 0]
    expected = model.predict(pixels, verbose=0)
    np.testing.assert_allclose(exported.ask(image_bytes=[content]), expected, atol=2e-6)
    np.testing.assert_allclose(exported.ask("pixels", pixels=pixels), expected, atol=2e-6)


def test_a_picture_model_can_be_served_without_its_pictures(model: Any, tmp_path: Path) -> None:
    """`--no-picture`: numbers alone, as any model; a preprocessing is told to be of no use."""
    exported = Exported(model, tmp_path, picture=False, preprocess="1/255")
    assert list(exported.interface.signatures) == ["serving_default"]
    assert exported.interface.picture is None
    assert exported.warnings == ["--preprocess 1/255 is for models that take pictures, which this one does not."]


def test_a_model_of_any_size_needs_one(tmp_path: Path) -> None:
    """Without sizes it is no picture model, unless its first layer resizes to some."""
    import keras

    model = picture_model(shape=(None, None))
    assert Exported(model, tmp_path / "any").interface.picture is None
    with pytest.raises(NotExportableError) as refused:
        Exported(model, tmp_path / "wanted", picture=True)
    assert str(refused.value) == (
        "The model cannot take pictures: its input has no fixed height and width."
        " Give it one such input with fixed sizes, or drop --picture."
    )
    resizing = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Resizing(HEIGHT, WIDTH), picture_model()])
    exported = Exported(resizing, tmp_path / "resizing")
    content = encoded("JPEG")
    expected = resizing.predict(decoded_outside(content, 3), verbose=0)
    np.testing.assert_allclose(exported.ask(image_bytes=[content]), expected, atol=2e-6)
