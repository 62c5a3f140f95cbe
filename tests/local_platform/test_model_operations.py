"""Models that do more than compute are refused at their upload; fast engines go with the last version that has them."""

from __future__ import annotations

import threading

from cloudml_magic.local_platform.artifacts import engine_folder, pin

from .conftest import Served
from .saved_models import write_model, writing_node
from .test_models import MODELS, bucket, done, failed, model, upload


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


def test_a_fast_engine_goes_with_the_last_version_of_its_model(served: Served) -> None:
    """Not with the first: another model may have the same files."""
    folder = write_model(bucket(served) / "m")
    upload(served, modelId="one")
    upload(served, modelId="two")
    engine = engine_folder(served.places.engines, pin(folder, "gs://cloudml-local/m"))
    engine.mkdir(parents=True)
    (engine / "certificate.json").write_text("{}")
    done(served, served.ask("DELETE", f"{MODELS}/one"))
    assert (engine / "certificate.json").exists()
    done(served, served.ask("DELETE", f"{MODELS}/two"))
    assert not engine.exists()


def test_a_table_of_routes_is_made_while_nothing_changes(served: Served) -> None:
    """Else one of before a change could come to lie over the one of after it."""
    made = threading.Event()

    def refresh() -> None:
        served.platform.deployments.refresh("us-central1", "none")
        made.set()

    with served.platform.deployments.models.database.lock:
        threading.Thread(target=refresh).start()
        assert not made.wait(0.3)
    assert made.wait(10)
