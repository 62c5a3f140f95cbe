"""The options of `%%ml_train` that say how its model is to be asked."""

from __future__ import annotations

import pytest

from cloudml_magic.notebook.options import parse
from cloudml_magic.notebook.train_magics import TrainMagics, _train_options
from cloudml_magic.pipeline.options import TrainOptions


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("flowers", TrainOptions()),
        (
            "flowers --labels 'daisy, red rose' --preprocess 1/255 --resize crop --picture",
            TrainOptions(labels="daisy, red rose", preprocess="1/255", resize="crop", picture=True),
        ),
        ("flowers --no-picture --labels names", TrainOptions(labels="names", picture=False)),
    ],
)
def test_options_of_the_line(line: str, expected: TrainOptions) -> None:
    """Names may hold spaces; a picture model is one by itself unless the line says otherwise."""
    assert _train_options(parse(TrainMagics.ml_train, line)) == expected
