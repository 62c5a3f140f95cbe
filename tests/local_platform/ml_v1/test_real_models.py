"""The tutorials' models, exported by TensorFlow and Keras, asked as the tutorials ask them."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.homes import home_of
from tests.local_platform.conftest import places_in

from .conftest import JOBS, MODELS, PROJECT, Running, running, service_of
from .test_batch import record, results
from .test_predictions import predict_json

pytestmark = pytest.mark.slow

# The first tutorial's graph in today's words: base64 text is decoded, then the picture, then it is classified.
_EXPORT = """
import sys, keras, numpy as np, tensorflow as tf
pictures, shapes, two = sys.argv[1:]

class Classifier(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def serve(self, inputs):
        def one(text):
            picture = tf.io.decode_jpeg(tf.io.decode_base64(text), channels=3)
            brightness = tf.reduce_mean(tf.cast(picture, tf.float32)) / 255.0
            return tf.stack([brightness, 1.0 - brightness])
        return {"outputs": tf.map_fn(one, inputs, fn_output_signature=tf.float32)}

model = Classifier()
tf.saved_model.save(model, pictures, signatures={"serving_default": model.serve})
layers = [keras.Input((8, 8, 1), name="conv2d_1_input"), keras.layers.Conv2D(1, 3, kernel_initializer="ones")]
keras.Sequential(layers).export(shapes, verbose=False)
given = keras.Input((2,), name="x")
keras.Model(given, {"twice": given * 2.0, "sum": keras.ops.sum(given, 1, keepdims=True)}).export(two, verbose=False)
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    names = [str(folder / name) for name in ("pictures", "shapes", "two")]
    subprocess.run([sys.executable, "-c", _EXPORT, *names], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One for all these tests: to make a version of a real model takes many seconds."""
    folder = tmp_path_factory.mktemp("platform")
    with home_of(folder), running(places_in(folder)) as found:
        yield found


def served(platform: Running, exported: Path, name: str) -> str:
    """The name of a model with one version, made as the tutorials make it by the first test that asks for it."""
    if platform.send("GET", f"{MODELS}/{name}")[0] == 200:
        return name
    for file in sorted((exported / name).rglob("*")):
        if file.is_file():
            platform.put(f"{name}/{file.relative_to(exported / name)}", file.read_bytes())
    platform.create_version(name, "v1", f"gs://cloudml-local/{name}/", framework="TENSORFLOW")
    return name


def jpeg(brightness: int) -> bytes:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (8, 8), (brightness,) * 3).save(stream, "JPEG")
    return stream.getvalue()


def test_a_picture_is_classified_as_in_the_first_tutorial(platform: Running, exported: Path) -> None:
    """Base64 in the URL alphabet in an object by input; the answer is two confidences under `outputs`."""
    model = served(platform, exported, "pictures")
    text = base64.urlsafe_b64encode(jpeg(255)).decode().rstrip("=")
    ml = service_of(platform)
    request_body = json.loads(json.dumps({"instances": [{"inputs": text}]}))
    response = ml.projects().predict(name=f"{PROJECT}/models/{model}", body=request_body).execute()
    assert response.keys() == {"predictions"}
    assert response["predictions"][0]["outputs"] == pytest.approx([1.0, 0.0], abs=0.01)
    broken = ml.projects().predict(name=f"{PROJECT}/models/{model}", body={"instances": [{"inputs": "!"}]}).execute()
    assert broken["error"].startswith(
        "Prediction failed: Error during model execution: AbortionError(code=StatusCode.INVALID_ARGUMENT, details="
    )


def test_a_wrong_shape_is_explained_as_in_the_second_tutorial(platform: Running, exported: Path) -> None:
    """Two dimensions too many: HTTP 200 with an error that says what the model takes."""
    model = served(platform, exported, "shapes")
    ml = service_of(platform)
    picture = [[[0.5]] * 8] * 8
    answer = predict_json(ml, "tutorial", model, [picture])
    assert len(answer[0]) == 1
    wrong = ml.projects().predict(name=f"{PROJECT}/models/{model}", body={"instances": [[[picture]]]}).execute()
    assert wrong == {
        "error": "Prediction failed: Error processing input: `conv2d_1_input` was given with shape [1, 1, 1, 8, 8, 1]."
        " The model takes float32 [?, 8, 8, 1], the number of instances first. 2 dimensions too many: pass `x` instead"
        " of `[[x]]`."
    }


def test_several_outputs_come_by_their_names(platform: Running, exported: Path) -> None:
    """Online and in batches alike."""
    model = served(platform, exported, "two")
    assert predict_json(service_of(platform), "tutorial", model, [[1, 2]]) == [{"twice": [2.0, 4.0], "sum": [3.0]}]
    platform.put("in.json", b'{"x": [1, 2]}\n[3, 4]\n')
    given = {
        "dataFormat": "JSON", "inputPaths": "gs://cloudml-local/in.json", "outputPath": "gs://cloudml-local/several",
        "region": "us-central1", "versionName": f"{PROJECT}/models/{model}/versions/v1",
    }  # fmt: skip
    platform.ask("POST", JOBS, {"jobId": "several", "predictionInput": given})
    assert platform.wait("several")["state"] == "SUCCEEDED"
    assert results(platform, "several") == [{"twice": [2.0, 4.0], "sum": [3.0]}, {"twice": [6.0, 8.0], "sum": [7.0]}]


def test_records_are_given_to_a_model_that_takes_bytes(platform: Running, exported: Path) -> None:
    """TF_RECORD: each record is one instance."""
    model = served(platform, exported, "pictures")
    texts = [base64.urlsafe_b64encode(jpeg(shade)).rstrip(b"=") for shade in (255, 0)]
    platform.put("in.rec", b"".join(map(record, texts)))
    given: dict[str, Any] = {
        "dataFormat": "TF_RECORD", "inputPaths": ["gs://cloudml-local/in.rec"], "outputPath": "gs://cloudml-local/records",
        "region": "us-central1", "modelName": f"{PROJECT}/models/{model}",
    }  # fmt: skip
    platform.ask("POST", JOBS, {"jobId": "records", "predictionInput": given})
    job = platform.wait("records")
    assert job["state"] == "SUCCEEDED", job
    assert [round(row["outputs"][0], 1) for row in results(platform, "records")] == [1.0, 0.0]
