"""A user trains: real kernel, real platform, real Keras."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from real_notebook import Notebook

pytestmark = pytest.mark.slow

DATA = "import numpy as np\nx = np.random.default_rng(1).random((400, 8))\ny = (x.sum(1) > 4).astype(int)"
BUILD = """
import keras
def build(width):
    model = keras.Sequential([keras.layers.Dense(width, "relu"), keras.layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
"""


@pytest.fixture(scope="module")
def prepared(kernel: Notebook) -> Notebook:
    assert not kernel.run(DATA).error
    assert not kernel.run(BUILD + "from cloudml_magic import job").error
    return kernel


def test_a_cell_trains_outside_the_kernel_and_its_model_comes_back(prepared: Notebook) -> None:
    """Shift-Enter returns at once, the card follows the job to its end, history and model come back."""
    began = time.monotonic()
    trained = prepared.run(
        "%%ml_train first\nmodel = build(8)\nhistory = model.fit(x, y, epochs=4, validation_split=0.2)"
    )
    returned = time.monotonic() - began
    assert not trained.error
    assert returned < 10
    card = prepared.shows(trained, "first · SUCCEEDED")
    assert "epoch 4 of 4" in card
    assert "val" in card
    assert "Epoch 4/4" in card, "the last log lines are on the card"
    assert set(trained.card) == {"text/plain", "text/html", "application/vnd.cloudml.job+json"}
    document = trained.card["application/vnd.cloudml.job+json"]
    assert (document["schema"], document["state"], document["epoch"]) == (1, "SUCCEEDED", 4)
    assert "Succeeded" in trained.card["text/html"]
    answer = prepared.run(
        "from cloudml_magic import job\n"
        "done = job('first')\n"
        "print(done.state, len(done.history), sorted(done.history), done.model().predict(x[:3], verbose=0).shape)"
    )
    assert answer.printed.strip() == ("SUCCEEDED 4 ['accuracy', 'loss', 'val_accuracy', 'val_loss'] (3, 2)"), (
        answer.error
    )


def test_nothing_but_the_job_enters_the_namespace(prepared: Notebook) -> None:
    """`model` of the trained cell is the job's, not the notebook's; `_` and `--into` are the job."""
    before = set(prepared.run("print(*sorted(n for n in globals() if not n.startswith('_')))").printed.split())
    trained = prepared.run("%%ml_train second --into sent\nfresh_name = 3")
    assert trained.value is None
    assert prepared.run("print(_)").printed.startswith("<Job second ")
    after = set(prepared.run("print(*sorted(n for n in globals() if not n.startswith('_')))").printed.split())
    assert after - before == {"sent"}


def test_a_failure_is_told_with_cell_and_line(prepared: Notebook) -> None:
    """Lines as the editor counts them: the magic line is line 1."""
    trained = prepared.run("%%ml_train broken\nmodel = build(8)\n\nmodel.fit(x, y[:-1], epochs=1)")
    card = prepared.shows(trained, "broken · FAILED")
    number = prepared.run("print(len(In) - 2)").printed.strip()
    assert f"In [{number}], line 4: model.fit(x, y[:-1], epochs=1)" in card
    gate = prepared.run("%ml_wait broken")
    assert f"In [{number}], line 4: model.fit(x, y[:-1], epochs=1)" in gate.error
    assert "Traceback" not in gate.error


def test_what_cannot_travel_is_refused_before_anything_is_sent(prepared: Notebook) -> None:
    """In under a second, with the cell and the line, and no job is left."""
    refused = prepared.run("%%ml_train never\nmodel = build(8)\nmodel.fit(x, labels)")
    assert "line 3 uses `labels`, which is not defined." in refused.error
    assert "Traceback" not in refused.error
    assert "There is no job 'never'." in prepared.run("%ml_job never").error


def test_a_dry_run_sends_nothing_and_shows_everything(prepared: Notebook) -> None:
    """The module, what each name is, and the request as it would be sent."""
    shown = prepared.run("%%ml_train rehearsal --dry-run --gpu T4\nmodel = build(8)\nmodel.fit(x, y)")
    assert not shown.error
    for words in ("Nothing was sent", "build", "code", "def build(width):", "NVIDIA_TESLA_T4", "customJobs.create"):
        assert words in shown.text
    assert "There is no job 'rehearsal'." in prepared.run("%ml_job rehearsal").error


def test_a_kernel_restart_loses_nothing(user: Path, tmp_path: Path) -> None:
    """The job goes on without its kernel, and `%ml_job` shows it again."""
    with Notebook(tmp_path) as notebook:
        notebook.run("%load_ext cloudml_magic")
        trained = notebook.run(
            "%%ml_train lasting\nimport time\nfor i in range(8):\n    time.sleep(0.5)\n    print('step', i)"
        )
        notebook.shows(trained, "RUNNING")
        notebook.restart()
        notebook.run("%load_ext cloudml_magic")
        again = notebook.run("%ml_job lasting")
        assert notebook.shows(again, "lasting · SUCCEEDED")
        assert "step 7" in notebook.run("%ml_logs lasting").printed


def test_a_cancelled_job_keeps_what_there_is(prepared: Notebook) -> None:
    """Cancel stops at the next batch, saves the model, and the card says so."""
    trained = prepared.run("%%ml_train long\nmodel = build(8)\nmodel.fit(x, y, epochs=100000)")
    prepared.shows(trained, r"epoch \d+ of 100000")
    assert not prepared.run("%ml_cancel long").error
    prepared.shows(trained, "long · CANCELLED", longest=30)
    listed = prepared.run("from cloudml_magic import job\nprint(*job('long').artifacts())").printed
    assert "model/model.keras" in listed
    assert "was cancelled" in prepared.run("%ml_wait long").error
    back = prepared.run("print(job('long').model().count_params() > 0)")
    assert "True" in back.printed, back.error
    assert "Job long was cancelled. This is its model as it was then." in back.printed


def test_an_interrupted_wait_detaches(prepared: Notebook) -> None:
    """The job goes on; the cell raises, so that Run All stops here."""
    prepared.run("%%ml_train patient\nimport time\ntime.sleep(4)")
    waiting = prepared.send("%ml_wait patient")
    prepared.passes(1.0)
    prepared.interrupt()
    detached = prepared.outcome(waiting)
    assert "Stopped waiting for job patient; the job goes on." in detached.error
    again = prepared.run("%ml_wait patient")
    assert not again.error
    prepared.shows(again, "patient · SUCCEEDED")


def test_data_values_arguments_and_environment_travel_when_they_are_named(prepared: Notebook) -> None:
    """--ship, --data, --arg and --env, each inside the job."""
    prepared.run(
        "import os\nopen('points.csv', 'w').write('1,2')\nos.environ['PASS_PHRASE'] = 'open sesame'\nwidth = 3"
    )
    prepared.run("weights = np.arange(5)\n", "weights")
    prepared.run(
        "%reset_selective -f weights\nimport numpy as np; weights = np.frombuffer(b'\\x01\\x02', 'u1')", "weights"
    )
    trained = prepared.run(
        "%%ml_train carrying --ship weights --data inputs/p.csv=points.csv --arg width=12 --env PASS_PHRASE --wait\n"
        "import os, sys\n"
        "print('got', weights.sum(), open('inputs/p.csv').read(), width, sys.argv[1:], len(os.environ['PASS_PHRASE']))\n"
        "print('secret', os.environ['PASS_PHRASE'])"
    )
    assert not trained.error
    printed = prepared.run("%ml_logs carrying").printed
    assert "got 3 1,2 12 ['--width=12'] 11" in printed
    assert "open sesame" not in printed
    assert "secret ***" in printed


def test_google_s_training_image_installs_the_same_package(prepared: Notebook) -> None:
    """`--image` of vertex-ai/training makes it a Python package job; it trains, reports and leaves its model."""
    image = "us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-17.py310:latest"
    prepared.run("units = 3")
    shown = prepared.run(f"%%ml_train packaged --image {image} --dry-run\nprint(1)")
    assert "pythonPackageSpec" in shown.text
    trained = prepared.run(
        f"%%ml_train packaged --image {image} --arg units=4 --wait\n"
        "model = build(units)\nhistory = model.fit(x, y, epochs=2)"
    )
    assert not trained.error
    prepared.shows(trained, "packaged · SUCCEEDED")
    answer = prepared.run("print(len(job('packaged').history), job('packaged').model().layers[0].units)")
    assert answer.printed.strip() == "2 4", answer.error
    assert "This Python stands in for us-docker.pkg.dev/vertex-ai/training" in prepared.run("%ml_logs packaged").printed


def test_every_front_end_hears_the_same_of_the_jobs(prepared: Notebook, user: Path) -> None:
    """`%ml_jobs`, the Python twin and the ledger agree; the manifest is in the job's folder."""
    prepared.run("%%ml_train listed --wait\nprint(1)")
    assert "listed" in prepared.run("%ml_jobs").text
    printed = prepared.run(
        "from cloudml_magic import jobs, job\nprint(jobs()[0].name, jobs()[0].id == job('listed').id)"
    ).printed
    assert printed.strip() == "listed True"
    manifests = sorted((user / ".local/share/cloudml-magic/buckets").glob("*/jobs/listed-*/manifest.json"))
    assert json.loads(manifests[-1].read_text())["name"] == "listed"


def test_deleting_a_job_frees_its_folder(prepared: Notebook, user: Path) -> None:
    """After `--yes` neither the job nor what it left is there."""
    prepared.run("%%ml_train fleeting --wait\nprint(1)")
    assert "Deleted fleeting with all" in prepared.run("%ml_jobs --delete fleeting --yes").printed
    assert "There is no job 'fleeting'." in prepared.run("%ml_job fleeting").error
    assert not list((user / ".local/share/cloudml-magic/buckets").glob("*/jobs/fleeting-*/*"))


def test_a_loop_of_trainings_from_python(prepared: Notebook) -> None:
    """`train` takes code as text, with the same options, and needs no magic."""
    ran = prepared.run(
        "from cloudml_magic import train\n"
        "sent = [train(f'print({n} * 2)', name=f'loop-{n}') for n in (1, 2)]\n"
        "print([line for job in sent for line in job.wait().logs() if line.isdigit()])"
    )
    assert ran.printed.strip() == "['2', '4']", ran.error


def test_the_platforms_token_is_nowhere_but_in_its_file(prepared: Notebook, user: Path) -> None:
    """Not in a job's environment, its log, its card, its folder, or what the platform keeps of it."""
    trained = prepared.run("%%ml_train curious --wait\nimport os\nprint(sorted(os.environ.items()))")
    state = user / ".local/state/cloudml-magic/platform"
    token = (state / "token").read_text().strip()
    assert len(token) >= 43
    assert token not in prepared.run("%ml_logs curious").printed
    assert token not in json.dumps(trained.card)
    places = [*(user / ".local/share/cloudml-magic").rglob("*"), *state.rglob("*")]
    holding = [path for path in places if path.is_file() and token.encode() in path.read_bytes()]
    assert holding == [state / "token"]


CUSTOM = """
import keras
class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0
"""


def test_a_model_with_classes_of_the_notebook_comes_back(prepared: Notebook) -> None:
    """`job.model()` finds them; without them it says what is missing."""
    assert not prepared.run(CUSTOM).error
    trained = prepared.run(
        "%%ml_train own --wait\n"
        "model = keras.Sequential([Doubled(), keras.layers.Dense(2)])\n"
        "model.compile('adam', 'mse')\n"
        "model.fit(x, np.zeros((400, 2)), epochs=1)"
    )
    assert not trained.error
    loaded = prepared.run("print(type(job('own').model().layers[0]).__name__)")
    assert loaded.printed.strip() == "Doubled", loaded.error
    missing = prepared.run(
        "kept, Doubled = [Doubled], None\ntry:\n    job('own').model()\nfinally:\n    Doubled = kept[0]"
    )
    assert "The model of job own cannot be loaded here." in missing.error
    assert "job.model(custom_objects=" in missing.error
