"""The wheel brings the lab extension whole: no Node where it is installed, both halves switched on."""

from __future__ import annotations

import os
import re
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
    pages = _said([python, "-m", "jupyter", "labextension", "list"], bare)
    assert re.search(r"cloudml-magic v[\d.]+ enabled OK", pages), pages
    servers = _said([python, "-m", "jupyter", "server", "extension", "list"], bare)
    assert re.search(r"cloudml_magic enabled\n", servers) and re.search(r"cloudml_magic [\d.]+ OK", servers), servers


def _said(command: list[str], environment: dict[str, str]) -> str:
    """What a command prints, without its colours."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    return re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)
