"""Which files of Keras's cache a piece of code will load, by the names that Keras itself gives them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cloudml_magic.pipeline.keras_weights import cached_weights, wanted_weights
from cloudml_magic.records import CapturedSource, CapturedStatement, Cell, SourceFile

VGG, VGG_NO_TOP = (
    "vgg16_weights_tf_dim_ordering_tf_kernels.h5",
    "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
)
SMALL = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5"
LARGE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"
CLASSES = "imagenet_class_index.json"
CACHE = (VGG, VGG_NO_TOP, SMALL, LARGE, CLASSES, "resnet50_weights_tf_dim_ordering_tf_kernels.h5", "notes.txt")


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("keras.applications.VGG16(include_top=False)", {VGG_NO_TOP}),
        ("VGG16()", {VGG}),
        ("keras.applications.vgg16.VGG16(weights='imagenet', include_top=with_top)", {VGG, VGG_NO_TOP}),
        ("VGG16(False, 'imagenet')", {VGG_NO_TOP}),
        ("VGG16(weights=None)", set()),
        ("VGG16(weights='mine.h5')", set()),
        ("from keras.applications import VGG16 as Base\nbase = Base(include_top=False)", {VGG_NO_TOP}),
        ("MobileNetV2(input_shape=(96, 96, 3), alpha=0.35, include_top=False)", {SMALL}),
        ("MobileNetV2()\nkeras.applications.mobilenet_v2.decode_predictions(p)", {LARGE, CLASSES}),
        ("ResNet50V2()", set()),
        ("print('VGG16()')", set()),
    ],
)
def test_the_files_that_code_will_load(code: str, names: set[str]) -> None:
    """With their top or without, and none where the code brings its own weights, or none."""
    patterns = wanted_weights([code])
    assert {name for name in CACHE if any(re.fullmatch(pattern, name) for pattern in patterns)} == names


def test_the_users_cache_is_looked_through(home: Path) -> None:
    """Also for code of modules beside the notebook; without a cache there is nothing."""
    statement = CapturedStatement("x = 1", Cell("1", "x = 1"), 1, ("x",))
    source = CapturedSource((statement,), files=(SourceFile("nets.py", b"base = VGG16()"),))
    assert cached_weights(source) == ()
    models = home / ".keras/models"
    models.mkdir(parents=True)
    for name in CACHE:
        (models / name).touch()
    assert [file.name for file in cached_weights(source)] == [VGG]


@pytest.mark.slow
def test_every_application_is_known_by_the_name_of_its_file() -> None:
    """Keras's own sources say what each is called; none of its constructors is forgotten."""
    import keras

    folder = Path(keras.__file__).parent / "src/applications"
    sources = "\n".join(file.read_text("utf-8") for file in folder.glob("*.py"))
    constructors = set(re.findall(r'"keras\.applications\.(\w+)"', sources))
    for name in constructors:
        assert wanted_weights([f"{name}()"]), name
    written = set(re.findall(r'"([a-z]\w+_weights_tf_dim_ordering_tf_kernels(?:_notop)?\.h5)"', sources))
    calls = [f"{name}(include_top={top})" for name in constructors for top in (True, False)]
    patterns = "|".join(wanted_weights(calls))
    assert written and not [name for name in written if not re.fullmatch(patterns, name)]
