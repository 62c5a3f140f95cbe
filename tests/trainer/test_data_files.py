"""Data in a job: ordinary paths, read in place or staged; what the code writes beside it stays its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from .packages import package, run


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """What lies in a bucket: a folder with folders, and a file."""
    folder = tmp_path / "bucket" / "Train"
    for name in ("cat/1.txt", "cat/deep/2.txt", "dog/3.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "empty").mkdir()
    (tmp_path / "bucket" / "rows.csv").write_text("1,2")
    return tmp_path / "bucket"


LISTING = """
import pathlib
for path in sorted(pathlib.Path("Train").rglob("*")):
    print(path.as_posix(), path.read_text() if path.is_file() else "")
"""
LISTED = (
    "Train/cat \nTrain/cat/1.txt cat/1.txt\nTrain/cat/deep \nTrain/cat/deep/2.txt cat/deep/2.txt\n"
    "Train/dog \nTrain/dog/3.txt dog/3.txt\nTrain/empty \n"
)


def test_a_folder_is_read_in_place(bucket: Path, tmp_path: Path) -> None:
    """The same tree under its relative path; nothing is copied, and nothing that is written goes back."""
    code = LISTING + f"bucket = pathlib.Path({str(bucket)!r})\n"
    code += "assert all(path.samefile(bucket / path) for path in pathlib.Path('Train').rglob('*.txt'))\n"
    code += "pathlib.Path('Train/cat/cache.bin').write_text('mine')\npathlib.Path('Train/cat/1.txt').unlink()\n"
    ran = run(package(code), tmp_path, data={"Train": str(bucket / "Train")})
    assert (ran.out, ran.code) == (LISTED, 0), ran.err
    assert sorted(path.name for path in (bucket / "Train/cat").iterdir()) == ["1.txt", "deep"]


def test_a_folder_is_staged(bucket: Path, tmp_path: Path) -> None:
    """Copied before the code runs; the log says how much it was."""
    code = LISTING + f"bucket = pathlib.Path({str(bucket)!r})\n"
    code += "assert not any(path.samefile(bucket / path) for path in pathlib.Path('Train').rglob('*.txt'))\n"
    code += "pathlib.Path('Train/cat/1.txt').write_text('mine')\n"
    ran = run(package(code), tmp_path, data={"Train": str(bucket / "Train")}, stage=True)
    first, _, rest = ran.out.partition("\n")
    assert first.startswith("Staged Train: 3 files, 0.0 MB in ")
    assert (rest, ran.code) == (LISTED, 0), ran.err
    assert (bucket / "Train/cat/1.txt").read_text() == "cat/1.txt"


@pytest.mark.parametrize("stage", [False, True], ids=["in place", "staged"])
def test_a_small_file_is_the_jobs_own(bucket: Path, tmp_path: Path, stage: bool) -> None:
    """Code that appends to its input changes nothing for others."""
    code = "with open('in/rows.csv', 'a') as file: file.write(',3')\nprint(open('in/rows.csv').read())"
    ran = run(package(code), tmp_path, data={"in/rows.csv": str(bucket / "rows.csv")}, stage=stage)
    assert ran.out.splitlines()[-1] == "1,2,3", ran.err
    assert (bucket / "rows.csv").read_text() == "1,2"


def test_data_that_is_gone_is_named(tmp_path: Path) -> None:
    """By the path at which the code would have looked for it; the log has the address."""
    ran = run(package("1"), tmp_path, data={"Train": f"{tmp_path}/gone"})
    assert ran.failure["message"] == "There is no file 'Train' in the job."
    assert f"The data of 'Train' is not at {tmp_path}/gone." in ran.err


def test_weights_lie_where_keras_looks(tmp_path: Path) -> None:
    """Before it would download them; a file that is there is not touched."""
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket/a.h5").write_text("from the bucket")
    (tmp_path / "keras/models").mkdir(parents=True)
    (tmp_path / "keras/models/b.h5").write_text("its own")
    code = "import os\nfor name in 'ab': print(open(os.path.join(os.environ['KERAS_HOME'], 'models', name + '.h5')).read())"
    weights = dict.fromkeys(("a.h5", "b.h5"), f"{tmp_path}/bucket/a.h5")
    ran = run(package(code), tmp_path, env={"KERAS_HOME": f"{tmp_path}/keras"}, weights=weights)
    assert ran.out == "from the bucket\nits own\n", ran.err
    assert sorted(path.name for path in (tmp_path / "keras/models").iterdir()) == ["a.h5", "b.h5"]


APPLICATION = {"input_shape": (128, 128, 3), "alpha": 0.25, "include_top": False}
WEIGHTS = "mobilenet_2_5_128_tf_no_top.h5"
LOADING = f"""
import keras, os

def first_weights():
    return keras.applications.MobileNet(**{APPLICATION}, weights="imagenet").get_weights()[0]

print(float(first_weights().sum()))
os.remove(os.path.join(os.environ["KERAS_HOME"], "models", "{WEIGHTS}"))
try:
    first_weights()
except Exception as problem:
    print("without:", "URL fetch failure" in str(problem))
"""


@pytest.mark.slow
def test_an_application_finds_its_weights_without_internet(tmp_path: Path) -> None:
    """Keras's own look-up takes the file that came with the job for the one that it would download."""
    import h5py
    import keras
    from keras.src.legacy.saving import legacy_h5_format

    net = keras.applications.MobileNet(**APPLICATION, weights=None)
    with h5py.File(tmp_path / WEIGHTS, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, net)
    nowhere = {"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"}
    home = {"KERAS_HOME": str(tmp_path / "keras")}
    ran = run(package(LOADING), tmp_path / "job", env=nowhere | home, weights={WEIGHTS: str(tmp_path / WEIGHTS)})
    assert ran.code == 0, ran.err
    found, *_, without = ran.out.splitlines()
    assert (found, without) == (str(float(net.get_weights()[0].sum())), "without: True")
