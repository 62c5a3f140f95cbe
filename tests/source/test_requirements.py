"""Imports and what they require: distributions, pinned; modules beside the notebook, as source."""

from __future__ import annotations

import contextlib
import importlib.metadata
from pathlib import Path

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.source import runtime_distributions, split_requirements

from .capturing import captured

PANDAS = f"pandas=={importlib.metadata.version('pandas')}"
SKLEARN = f"scikit-learn=={importlib.metadata.version('scikit-learn')}"

REQUIRED = {
    "nothing": (["print(1)"], ()),
    "the standard library": (["import os, json\nfrom collections import abc\nprint(os, json)"], ()),
    "what the runtime holds": (["import keras, tensorflow as tf, numpy as np\nfrom tensorflow.keras import layers\nprint(keras)"], ()),
    "an installed one, pinned": (["import pandas as pd\nprint(pd)"], (PANDAS,)),
    "a name that differs": (["from sklearn.datasets import load_digits", "load_digits()"], (SKLEARN,)),
    "one that no needed statement uses": (["import pandas as pd", "print(1)"], ()),
    "an import within a function": (["def f():\n    import pandas\n    return pandas\nf()"], (PANDAS,)),
    "our own": (["from cloudml_magic import report\nreport(a=1)"], ()),
    "only for type checkers": (["from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas\nprint(1)"], ()),
    "one that may be missing": (["try:\n    import surely_not_there\nexcept ImportError:\n    pass"], ()),
    "by name": (["import importlib\nimportlib.import_module('pandas')"], (PANDAS,)),
    "a namespace": (["from google.cloud import storage\nstorage.Client"], (f"google-cloud-storage=={importlib.metadata.version('google-cloud-storage')}",)),
    "installed lines": (["!pip install pandas some-thing 'other>=2' tensorflow", "print(1)"], ("other>=2", PANDAS, "some-thing")),
}  # fmt: skip


@pytest.mark.parametrize(("cells", "wanted"), REQUIRED.values(), ids=REQUIRED)
def test_requirements_follow_from_imports(cells: list[str], wanted: tuple[str, ...]) -> None:
    """What the needed statements import, less what a job has anyway."""
    assert captured(cells, namespace={}).requirements == wanted


def test_a_package_that_is_not_installed_here() -> None:
    """It is required without a version, with a warning."""
    source = captured(["import surely_not_there, cv2ish\nprint(surely_not_there)"])
    assert source.requirements == ("cv2ish", "surely_not_there")
    assert (
        source.warnings[0]
        == "`surely_not_there` is not installed here, so the job will install the latest surely_not_there."
    )


def test_requires_adds_and_overrides() -> None:
    """`--requires` has the last word."""
    source = captured(["import pandas\nprint(pandas)"], requires=("pandas>=2,<3", "b[x]", "A_b==1"))
    assert source.requirements == ("A_b==1", "b[x]", "pandas>=2,<3")
    assert split_requirements("a>=1,<2, b[x,y],c") == ("a>=1,<2", "b[x,y]", "c")
    with pytest.raises(CloudMLError) as caught:
        captured(["print(1)"], requires=("a b c",))
    assert str(caught.value) == (
        "--requires 'a b c' is no requirement.\n"
        "  Next: Write it as pip would take it: --requires 'pandas>=2,scikit-learn==1.5.0'.\n"
        "[requirement-unreadable]"
    )


def test_the_runtime_holds_what_tensorflow_requires() -> None:
    """Its dependency closure is never a requirement."""
    assert {"tensorflow", "keras", "numpy", "h5py", "protobuf"} <= runtime_distributions()
    assert "pandas" not in runtime_distributions()


def test_modules_beside_the_notebook_travel_as_source(tmp_path: Path) -> None:
    """Packages whole, with what they import; never what no needed statement uses."""
    (tmp_path / "helpers.py").write_text("import pandas\nfrom deep.er import thing\n")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "__init__.py").write_text("from . import other\n")
    (tmp_path / "deep" / "er" / "other.py").write_text("import sklearn\nthing = 1\n")
    (tmp_path / "deep" / "__pycache__").mkdir()
    (tmp_path / "deep" / "__pycache__" / "x.py").write_text("")
    (tmp_path / "unused.py").write_text("")
    source = captured(
        ["import helpers, unused2, random\nimport unused", "print(helpers)"], folder=tmp_path, namespace={}
    )
    assert [file.path for file in source.files] == ["deep/er/__init__.py", "deep/er/other.py", "helpers.py"]
    assert source.requirements == (PANDAS, SKLEARN, "unused2")
    assert source.files[-1].content == b"import pandas\nfrom deep.er import thing\n"


def test_a_module_that_cannot_be_parsed_travels_all_the_same(tmp_path: Path) -> None:
    """Python itself will say what is wrong with it, where it is imported."""
    (tmp_path / "bad.py").write_bytes(b"\xff\x00 = (")
    assert captured(["import bad\nprint(bad)"], folder=tmp_path).files[0].content == b"\xff\x00 = ("


def test_too_much_source_is_refused(tmp_path: Path) -> None:
    """A whole environment beside the notebook is no module."""
    (tmp_path / "big.py").write_bytes(b"#" * (10 * 1024 * 1024 + 1))
    with pytest.raises(CloudMLError, match="larger than 10 MB"):
        captured(["import big\nprint(big)"], folder=tmp_path)


def test_a_version_that_a_pip_line_names_is_not_called_the_latest() -> None:
    """What is not installed here but pinned by the notebook itself, or by --requires, needs no warning."""
    cells = ["!pip install surely_not_there==4.9", "import surely_not_there", "print(surely_not_there)"]
    source = captured(cells, namespace={})
    assert (source.requirements, source.warnings) == (("surely_not_there==4.9",), ())
    source = captured(cells[1:], namespace={}, requires=("surely_not_there>=2",))
    assert (source.requirements, source.warnings) == (("surely_not_there>=2",), ())


def test_the_runtime_holds_tensorboard_only_where_tensorflow_requires_it() -> None:
    """Later releases of TensorFlow come without it."""
    required: list[str] = []
    for name in ("tensorflow", "tensorflow-cpu"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            required += importlib.metadata.requires(name) or []
    assert ("tensorboard" in runtime_distributions()) == any(line.startswith("tensorboard") for line in required)
