"""Packages of other clients: what was submitted runs, from a folder of its own; what it requires is brought."""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.jobs import overlay, packages
from cloudml_magic.local_platform.jobs.packages import PreparationError
from cloudml_magic.states import JobState

from .conftest import IMAGE, Bench, container

VERTEX = "us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-17.py310:latest"


def sdist(name: str, files: dict[str, str]) -> bytes:
    """As setuptools writes it: an egg-info with the top-level names."""
    tops = sorted({path.partition("/")[0].removesuffix(".py") for path in files})
    files = files | {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{name}.egg-info/top_level.txt": "\n".join(tops),
    }
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}-1/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return file.getvalue()


def wheel(folder: Path, name: str, version: str, code: str, requires: str = "") -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    information = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + (
        f"Requires-Dist: {requires}\n" * bool(requires)
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", code)
        archive.writestr(f"{information}/METADATA", metadata)
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", f"{name}.py,,\n{information}/METADATA,,\n{information}/WHEEL,,\n")
    return path


def python_package(*uris: str, module: str, args: tuple[str, ...] = ()) -> dict[str, object]:
    spec = {"executorImageUri": VERTEX, "packageUris": list(uris), "pythonModule": module, "args": list(args)}
    return {"displayName": "p", "jobSpec": {"workerPoolSpecs": [{"replicaCount": 1, "pythonPackageSpec": spec}]}}


def test_an_sdist_runs_as_a_module(bench: Bench) -> None:
    """`python3 -m MODULE ARGS…`, from a folder that leaves the user's environment alone; the image's version is noted."""
    code = "import sys, trainer; print(sys.argv[1:], trainer.__file__.startswith(sys.prefix))"
    (bench.buckets / "bucket" / "t.tar.gz").write_bytes(
        sdist("t", {"trainer/__init__.py": "", "trainer/task.py": code})
    )
    job = bench.run(python_package("gs://bucket/t.tar.gz", module="trainer.task", args=("--epochs=2",)))
    assert job.state is JobState.SUCCEEDED, bench.log(job.id)
    note, line = bench.log(job.id).splitlines()
    assert note.startswith(f"This Python stands in for {VERTEX}: TensorFlow ")
    assert line == "['--epochs=2'] False"


def test_a_wheel_runs_as_a_module(bench: Bench) -> None:
    """The file's name need not be the package's."""
    made = wheel(bench.buckets / "bucket", "trained", "1", "print('ran')")
    made.rename(made.with_name("any.whl"))
    job = bench.run(python_package("gs://bucket/any.whl", module="trained"))
    assert bench.log(job.id).splitlines()[-1] == "ran"


@pytest.mark.parametrize("kind", ["python-package", "container"])
def test_a_swapped_package_is_refused(bench: Bench, tmp_path: Path, kind: str) -> None:
    """What changes between submission and start does not run: nothing of it is executed."""
    package = bench.buckets / "bucket" / "t.tar.gz"
    package.write_bytes(sdist("t", {"t.py": "print('good')"}))
    gate = tmp_path / "gate"
    blockers = [bench.submit(container("sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.02; done")) for _ in range(2)]
    if kind == "container":
        id = bench.submit(container("python3", "-c", "import sys; print(sys.argv)", "gs://bucket/t.tar.gz"))
    else:
        id = bench.submit(python_package("gs://bucket/t.tar.gz", module="t"))
    package.write_bytes(sdist("t", {"t.py": f"open({str(tmp_path / 'evil')!r}, 'w')"}))
    gate.touch()
    job = bench.wait(id)
    assert job.error is not None and job.error[0] == 3
    assert job.error[1].startswith(
        "The package gs://bucket/t.tar.gz is not the one that was submitted: its sha256 was "
    )
    assert job.error[1].endswith("Nothing of it was run. Submit the job again.")
    assert not (tmp_path / "evil").exists()
    assert bench.log(id) == ""
    for blocker in blockers:
        bench.wait(blocker)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (python_package("gs://bucket/none.whl", module="t"), "The package gs://bucket/none.whl does not exist in the local"),
        ({"displayName": "x", "jobSpec": {}}, "The first worker pool of the job is missing"),
        ({"displayName": "x", "jobSpec": {"workerPoolSpecs": [{"containerSpec": {"imageUri": IMAGE}}]}}, "has no command"),
        ({"displayName": "x", "jobSpec": {"workerPoolSpecs": [{"containerSpec": {"command": ["a"]}}]}}, "names no image"),
    ],
)  # fmt: skip
def test_what_could_never_run_is_refused_at_once(bench: Bench, body: dict[str, object], message: str) -> None:
    """400 in Google's shape, before a job exists."""
    with pytest.raises(PlatformError, match=message) as refused:
        bench.runner.check(body)
    assert refused.value.code == 400


def test_met_requirements_need_no_overlay(tmp_path: Path) -> None:
    """Nothing is installed, nothing is started."""
    assert overlay.overlay_for(["pytest", "pytest>=8", "nothing; python_version<'3'"], tmp_path / "overlays") is None
    assert not (tmp_path / "overlays").exists()


def test_what_is_missing_is_added_beside_this_environment(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installed once for its set, compiled, and never into the user's own environment."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel(shelf, "cloudml_test_leaf", "2", "value = 2")
    wheel(
        shelf,
        "cloudml_test_extra",
        "1",
        "import cloudml_test_leaf\nvalue = cloudml_test_leaf.value",
        "cloudml_test_leaf",
    )
    monkeypatch.setenv("UV_FIND_LINKS", str(shelf))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    package = wheel(
        bench.buckets / "bucket",
        "t",
        "1",
        "import cloudml_test_extra as e; print(e.value, e.__file__)",
        "cloudml_test_extra==1",
    )
    for _ in range(2):
        job = bench.run(
            container(
                "python3",
                "-c",
                f"import sys; sys.path.insert(0, {str(package)!r}); import t",
                "gs://bucket/t-1-py3-none-any.whl",
            )
        )
        assert job.state is JobState.SUCCEEDED, job.error
        value, file = bench.log(job.id).split()
        assert value == "2" and file.startswith(str(bench.places.overlays))
        assert list(Path(file).parent.glob("__pycache__/cloudml_test_extra*.pyc"))
    assert len([path for path in bench.places.overlays.iterdir() if path.is_dir()]) == 1
    assert not any(list(Path(path).glob("cloudml_test*")) for path in sys.path if path)


def test_a_requirement_that_does_not_exist_fails_with_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uv's cause in one line, and what to do."""
    monkeypatch.setenv("UV_NO_INDEX", "1")
    with pytest.raises(PreparationError) as failed:
        overlay.overlay_for(["cloudml-no-such-thing==1"], tmp_path)
    message = str(failed.value)
    assert message.startswith("The requirements cloudml-no-such-thing==1 cannot be met: cloudml-no-such-thing was not ")
    assert message.endswith("Look at the names and versions, and at the network; --requires overrides them.")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (
            "Using Python 3.11.7 environment at: venv\nerror: No solution found when resolving dependencies\n"
            "  cause: Because a was not found in the package registry and you require a, we can conclude that your"
            " requirements are unsatisfiable.\n",
            "a was not found in the package registry and you require a.",
        ),
        (
            "  × No solution found when resolving dependencies:\n"
            "  ╰─▶ Because there is no version of a==99 and you require a==99, we can\n"
            "      conclude that your requirements are unsatisfiable.\n\nhint: Look elsewhere.\n",
            "there is no version of a==99 and you require a==99.",
        ),
        (
            "error: Request failed after 3 retries\n  Caused by: Failed to fetch: `https://x/a/`\n"
            "  Caused by: dns error\n",
            "Request failed after 3 retries Failed to fetch: `https://x/a/` dns error",
        ),
        ("", "uv gave no reason."),
    ],
)
def test_of_what_uv_says_the_cause_is_quoted(said: str, cause: str) -> None:
    """Neither its preamble nor its conclusion: the one line that a user can act on."""
    assert packages.cause_line(said) == cause


def test_an_unreadable_requirement_is_told(tmp_path: Path) -> None:
    """It is named, with what to do."""
    with pytest.raises(PreparationError, match=r"The requirement 'a b c' cannot be read: .* Mend it with --requires."):
        overlay.missing(["a b c"])
