"""A model that does more than compute is refused at its upload, unless its user gave their word for it."""

from __future__ import annotations

from .conftest import Served
from .saved_models import write_model, writing_node
from .test_models import bucket, failed, model, upload


def test_a_model_that_writes_files_is_no_version(served: Served) -> None:
    """Refused with the operation's name, before anything loads it."""
    folder = write_model(bucket(served) / "m")
    with (folder / "saved_model.pb").open("ab") as file:
        file.write(writing_node())
    error = failed(served, model())
    assert error["code"] == 9
    assert error["message"] == (
        "The model in gs://cloudml-local/m does more than compute: it has the operation WriteFile."
        " WriteFile writes files. Whoever made the model chose that, and it would happen with your rights."
        " If the model is your own, `--trust` serves it."
    )


def test_a_trusted_one_is(served: Served) -> None:
    """By the label that `--trust` sets."""
    folder = write_model(bucket(served) / "m")
    with (folder / "saved_model.pb").open("ab") as file:
        file.write(writing_node())
    assert upload(served, model(labels={"cloudml-trusted": "yes"}), modelId="m") == "m@1"
