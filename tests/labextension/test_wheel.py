"""The wheel brings the lab extension whole: no Node where it is installed, both halves switched on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXTENSION = "share/jupyter/labextensions/cloudml-magic"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of what git knows and the bundle, so that nothing else of the checkout gets in."""
    source = tmp_path_factory.mktemp("source")
    known = (
        subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    )
    bundle = [
        str(file.relative_to(ROOT)) for file in (ROOT / "cloudml_magic/labextension").rglob("*") if file.is_file()
    ]
    for name in filter(None, [*known, *bundle]):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist"],
        cwd=source, env=os.environ | {"CLOUDML_REQUIRE_LABEXT": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = (source / "dist").glob("*.whl")
    return found


def test_the_wheel_holds_the_bundle_once_and_the_line_that_switches_the_server_half_on(wheel: Path) -> None:
    """As data files, where Jupyter looks; not a second time inside the package."""
    names = zipfile.ZipFile(wheel).namelist()
    data = {name.partition(".data/data/")[2] for name in names if ".data/data/" in name}
    assert {f"{EXTENSION}/package.json", f"{EXTENSION}/install.json"} <= data
    assert "etc/jupyter/jupyter_server_config.d/cloudml_magic.json" in data
    assert any(name.startswith(f"{EXTENSION}/static/") and name.endswith(".js") for name in data)
    assert any(name.startswith(f"{EXTENSION}/schemas/") for name in data)
    assert not [name for name in names if name.startswith("cloudml_magic/labextension/")]
    assert {f"cloudml_magic/cards/schema/{kind}.schema.json" for kind in ("job", "delta", "prediction")} <= set(names)


def test_it_installs_without_node(wheel: Path, tmp_path: Path) -> None:
    """A fresh environment whose PATH has no Node: JupyterLab lists both halves as enabled and OK."""
    environment = tmp_path / "venv"
    uv = [sys.executable, "-m", "uv"]
    bare = {**os.environ, "PATH": f"{environment / 'bin'}", "HOME": str(tmp_path), "UV_LINK_MODE": "symlink"}
    cache = subprocess.run([*uv, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    bare["UV_CACHE_DIR"] = cache
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    python = str(environment / "bin/python")
    subprocess.run(
        [*uv, "pip", "install", "--quiet", "--python", python, str(wheel), "jupyterlab"], env=bare, check=True
    )
    lab = subprocess.run([python, "-m", "jupyter", "labextension", "list"], env=bare, capture_output=True, text=True)
    assert "cloudml-magic v" in lab.stderr + lab.stdout
    assert [
        line
        for line in (lab.stderr + lab.stdout).splitlines()
        if "cloudml-magic" in line and "enabled" in line and "OK" in line
    ]
    server = subprocess.run(
        [python, "-m", "jupyter", "server", "extension", "list"], env=bare, capture_output=True, text=True
    )
    said = server.stderr + server.stdout
    assert "cloudml_magic enabled" in said
    assert [line for line in said.splitlines() if "cloudml_magic" in line and "OK" in line]
