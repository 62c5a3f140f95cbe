"""A user predicts a table as a job: real kernel, real platform, real batch process."""

from __future__ import annotations

import pytest
from real_notebook import Notebook

pytestmark = pytest.mark.slow

MODEL = """
import keras, numpy as np, pandas as pd
age, height = keras.Input((1,), name="age"), keras.Input((1,), name="height")
both = keras.layers.Concatenate()([age, height])
person = keras.Model([age, height], keras.layers.Dense(2, name="score")(both))
frame = pd.DataFrame({"age": np.arange(500.0), "height": np.linspace(1, 2, 500)})
expected = person.predict({name: frame[[name]].to_numpy() for name in frame}, verbose=0)
lines = [f'{{"age": [{n}], "height": [1.5]}}' for n in range(20)]
lines[7] = '{"age": ["old"], "height": [1.5]}'
open("people.jsonl", "w").write("\\n".join(lines))
"""


@pytest.fixture(scope="module")
def people(kernel: Notebook) -> Notebook:
    """A kernel with a model of two inputs, which is on the platform."""
    assert not kernel.run(MODEL).error
    outcome = kernel.run("%ml_deploy person --as crowd")
    assert not outcome.error, outcome.error
    return kernel


def test_a_frame_is_predicted_as_a_job_and_comes_back_as_one(people: Notebook) -> None:
    """Its card counts the rows; `job.results()` has a row for each, equal to what the model says here."""
    outcome = people.run("%ml_batch_predict crowd --input frame --wait --into job")
    assert not outcome.error, outcome.error
    checked = people.run(
        "found = job.results(); print(len(found), job.state, np.allclose(np.stack(found.prediction), expected, atol=1e-3))"
    )
    assert checked.printed.strip() == "500 SUCCEEDED True", checked.error


def test_a_bad_line_of_a_file_is_told_with_its_number(people: Notebook) -> None:
    """The others are predicted; the jobs of both kinds stand in one list, and are found, logged and deleted by name."""
    outcome = people.run("%ml_batch_predict crowd --input people.jsonl --name guests --workers 2 --wait --into guests")
    assert not outcome.error, outcome.error
    told = people.run("bad = guests.errors(); print(len(guests.results()), list(bad.line), bad.error[0])")
    assert told.printed.startswith("19 [8] `age` was given the text 'old' at [0]."), told.error
    assert "19 instances predicted, 1 failed." in people.run("%ml_logs guests").printed
    assert "guests" in str(people.run("%ml_jobs").displays)
    removed = people.run("%ml_jobs --delete guests --yes")
    assert removed.printed.strip() == "Deleted guests with all that they left in the bucket.", removed.error
    assert "There is no job 'guests'." in str(people.run("%ml_job guests").error)
