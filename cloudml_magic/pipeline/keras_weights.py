"""The pre-trained weights of Keras Applications that a job will load, found in the user's own Keras cache."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from cloudml_magic.records import CapturedSource

_KERNELS = "_weights_tf_dim_ordering_tf_kernels"
_TOP, _NO_TOP = r"\.h5", r"(_notop|_no_top|_no_top_v2)\.h5"
_CLASS_NAMES = "imagenet_class_index.json"
# Each constructor, and how the files of its weights begin.
_BEGINNINGS = {
    **{name: f"{name.lower()}{_KERNELS}" for name in ("VGG16", "VGG19", "Xception")},
    **{
        f"ResNet{depth}{kind}": f"resnet{depth}{kind.lower()}{_KERNELS}"
        for depth in (50, 101, 152)
        for kind in ("", "V2")
    },
    **{f"DenseNet{depth}": f"densenet{depth}{_KERNELS}" for depth in (121, 169, 201)},
    "InceptionV3": f"inception_v3{_KERNELS}",
    "InceptionResNetV2": f"inception_resnet_v2{_KERNELS}",
    "MobileNet": r"mobilenet_[\d_]+_tf",
    "MobileNetV2": rf"mobilenet_v2{_KERNELS}_[\d.]+_\d+",
    "MobileNetV3Small": r"weights_mobilenet_v3_small_\w+_[\d.]+_float",
    "MobileNetV3Large": r"weights_mobilenet_v3_large_\w+_[\d.]+_float",
    "NASNetMobile": "nasnet_mobile",
    "NASNetLarge": "nasnet_large",
    **{f"EfficientNetB{size}": f"efficientnetb{size}" for size in range(8)},
    **{f"EfficientNetV2{size}": f"efficientnetv2-{size.lower()}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")},
    **{f"ConvNeXt{size}": f"convnext_{size.lower()}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")},
}


def cached_weights(source: CapturedSource) -> tuple[Path, ...]:
    """The files of the cache that the code's calls of Keras Applications would load."""
    folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
    texts = [statement.text for statement in source.statements]
    texts += [file.content.decode("utf-8", "replace") for file in source.files if file.path.endswith(".py")]
    patterns = wanted_weights(texts)
    if not patterns or not folder.is_dir():
        return ()
    wanted = re.compile("|".join(sorted(patterns)))
    return tuple(sorted(file for file in folder.iterdir() if wanted.fullmatch(file.name) and file.is_file()))


def wanted_weights(texts: Iterable[str]) -> set[str]:
    """Patterns of the names of the files that pieces of code would load."""
    trees = [tree for text in texts if (tree := _parsed(text)) is not None]
    known = {name: name for name in _BEGINNINGS}
    for tree in trees:
        known |= dict(_renamed(tree))
    found: set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = known.get(_called(node))
                found |= _patterns(name, node) if name else set()
                found |= {re.escape(_CLASS_NAMES)} if _called(node) == "decode_predictions" else set()
    return found


def _patterns(name: str, call: ast.Call) -> set[str]:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    weights = given.get("weights", call.args[1] if len(call.args) > 1 else None)
    if isinstance(weights, ast.Constant) and weights.value != "imagenet":
        return set()
    top = given.get("include_top", call.args[0] if call.args else None)
    if top is None or isinstance(top, ast.Constant):
        has_top = top is None or bool(top.value)
        return {_BEGINNINGS[name] + (_TOP if has_top else _NO_TOP)}
    return {_BEGINNINGS[name] + ending for ending in (_TOP, _NO_TOP)}


def _renamed(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """`from keras.applications import VGG16 as Base`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.asname and alias.name in _BEGINNINGS:
                    yield alias.asname, alias.name


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _parsed(text: str) -> ast.AST | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None
