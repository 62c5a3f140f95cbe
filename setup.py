"""What pyproject.toml cannot say: the lab extension is built with Node and lands where Jupyter looks for it."""

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
SOURCES = ROOT / "labextension"
BUNDLE = ROOT / "cloudml_magic" / "labextension"
IS_PACKING = bool({"bdist_wheel", "sdist", "install"} & set(sys.argv))
IS_REQUIRED = os.environ.get("CLOUDML_REQUIRE_LABEXT") == "1"


def build() -> None:
    """Builds the bundle where it is missing; without Node the package installs without it, unless it is required."""
    if (BUNDLE / "package.json").exists() or not SOURCES.exists():
        return
    npm = shutil.which("npm")
    problem = "there is no npm on the PATH"
    if npm:
        try:
            subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=SOURCES, check=True)
            subprocess.run([npm, "run", "build"], cwd=SOURCES, check=True)
            return
        except (OSError, subprocess.CalledProcessError) as failure:
            problem = str(failure)
    if IS_REQUIRED:
        raise SystemExit(f"The lab extension could not be built: {problem}")
    warnings.warn(f"cloudml-magic is installed without its lab extension: {problem}.", stacklevel=1)


def data_files() -> list[tuple[str, list[str]]]:
    """The bundle, and the line that switches the server half on; neither without the bundle."""
    if not (BUNDLE / "package.json").exists():
        return []
    target = Path("share/jupyter/labextensions/cloudml-magic")
    files = [file for file in sorted(BUNDLE.rglob("*")) if file.is_file()]
    found = [(str(target / file.parent.relative_to(BUNDLE)), [str(file.relative_to(ROOT))]) for file in files]
    return [
        *found,
        (str(target), ["labextension/install.json"]),
        ("etc/jupyter/jupyter_server_config.d", ["jupyter-config/cloudml_magic.json"]),
    ]


if IS_PACKING:
    build()
setup(data_files=data_files())
