"""A trainer package: a proper sdist whose bytes follow from its cells."""

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from cloudml_magic.packaging import build_trainer, slug
from cloudml_magic.records import SourceFile, SourceMapEntry, TrainerPackage

MODULE = "import math\nwidth = 64\n"
ENTRIES = (SourceMapEntry(1, 1, "In [1]", 1), SourceMapEntry(2, 2, "In [7]", 2))
CELLS = {"In [1]": "import math", "In [7]": "%%ml_train digits\nwidth = 64"}


def build(**changes: object) -> TrainerPackage:
    arguments: dict[str, object] = {"source_files": (), "requirements": ("scikit-learn==1.5.0",)} | changes
    name, module = str(arguments.pop("name", "digits")), str(arguments.pop("module", MODULE))
    return build_trainer(name, module, ENTRIES, CELLS, **arguments)  # type: ignore[arg-type]


def members(package: TrainerPackage) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(package.content)) as archive:
        return {
            member.name.partition("/")[2]: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive.getmembers()
        }


def test_the_same_cells_make_the_same_bytes() -> None:
    """Equal code has an equal digest, in another process too, whatever the clock and the hash seed say."""
    program = (
        "from cloudml_magic.packaging import build_trainer\n"
        "from cloudml_magic.records import SourceMapEntry as E\n"
        f"p = build_trainer('digits', {MODULE!r}, (E(1, 1, 'In [1]', 1), E(2, 2, 'In [7]', 2)), {CELLS!r},"
        " requirements=('scikit-learn==1.5.0',))\nprint(p.sha256)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert answer.stdout.strip() == build().sha256 == hashlib.sha256(build().content).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"module": MODULE + "\n"},
        {"requirements": ("scikit-learn==1.5.1",)},
        {"source_files": (SourceFile("aid.py", b"x = 1\n"),)},
        {"name": "mnist"},
    ],
    ids=["code", "requirements", "files", "name"],
)
def test_any_change_makes_another_digest(change: dict[str, object]) -> None:
    """One byte of any input changes digest and name."""
    assert build(**change).sha256 != build().sha256
    assert build(**change).file_name != build().file_name


def test_holds_the_module_its_source_map_the_runtime_and_report() -> None:
    """Everything that the job needs, nothing of the machine that made it."""
    found = members(build(source_files=(SourceFile("tools/shapes.py", b"side = 1\n"),)))
    assert found["cloudml_trainer/notebook.py"].decode() == MODULE
    document = json.loads(found["cloudml_trainer/source_map.json"])
    assert document["entries"][1] == {"first": 2, "last": 2, "cell": "In [7]", "cell_line": 2}
    assert document["cells"] == CELLS
    assert found["tools/shapes.py"] == b"side = 1\n"
    assert {"cloudml_trainer/task.py", "cloudml_trainer/export/__init__.py"} <= set(found)
    assert b"report" in found["cloudml_magic.py"]
    assert b"Requires-Dist: scikit-learn==1.5.0" in found["PKG-INFO"]


def test_says_nothing_of_who_made_it_and_when() -> None:
    """No user, no time, no permission bits of the machine."""
    package = build()
    assert gzip.decompress(package.content)
    assert package.content[4:8] == bytes(4)
    with tarfile.open(fileobj=io.BytesIO(package.content)) as archive:
        for member in archive.getmembers():
            assert (member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode) == (
                *(0, 0, 0, "", ""),
                0o644,
            )


def test_a_lone_surrogate_survives_as_the_same_string() -> None:
    """Text that is no UTF-8 is written as the escape that Python reads back."""
    found = members(build(module="mark = '\ud800'\n"))
    namespace: dict[str, object] = {}
    exec(found["cloudml_trainer/notebook.py"].decode("utf-8"), namespace)
    assert namespace["mark"] == "\ud800"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("digits", "digits"), ("Größe 2", "große-2"), ("🐙", "job"), ("a" * 80, "a" * 40), ("--x--", "x")],
)
def test_a_name_becomes_a_slug(name: str, expected: str) -> None:
    """Bucket folders, labels and distributions allow less than a job's name."""
    assert slug(name) == expected.replace("ß", "").replace("ö", "o")


@pytest.mark.slow
def test_pip_installs_it_and_its_modules_are_found(tmp_path: Path) -> None:
    """It is a proper sdist: real pip builds it, and the package's data comes along."""
    package = build(
        requirements=(), source_files=(SourceFile("tools/__init__.py", b""), SourceFile("aid.py", b"x = 1\n"))
    )
    file = tmp_path / package.file_name
    file.write_bytes(package.content)
    target = tmp_path / "site"
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(file)]
    subprocess.run(command, check=True, timeout=120)
    assert (target / "cloudml_trainer/notebook.py").read_text() == MODULE
    assert (target / "cloudml_trainer/source_map.json").exists()
    assert (target / "cloudml_trainer/export/of_job.py").exists()
    assert (target / "aid.py").exists()
    assert (target / "tools/__init__.py").exists()
