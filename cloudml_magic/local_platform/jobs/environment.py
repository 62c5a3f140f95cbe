"""The environment of a job's process: this machine's, less what is the platform's own, plus what Vertex sets."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

STARTUP = Path(__file__).parent / "startup"
SHIM_NAMES = ("python", "python3", "pip", "pip3")

# Of the platform or its starter, none of a job's business; PYTHONDONTWRITEBYTECODE makes imports three times slower.
_LEFT_OUT = frozenset(
    {
        "CLOUD_ML_JOB_ID",
        "CLUSTER_SPEC",
        "JPY_PARENT_PID",
        "JUPYTER_TOKEN",
        "MPLBACKEND",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "PYTHONUNBUFFERED",
        "STORAGE_EMULATOR_HOST",
        "TF_CONFIG",
        "XDG_STATE_HOME",
    }
)
_LEFT_OUT_PREFIXES = ("AIP_", "CLOUDML_", "JUPYTER_", "JPY_", "KERNEL_")

# Read while a framework is imported: a warm spare, which has imported it, comes too late for these.
_READ_AT_IMPORT = (
    "ABSL_", "CUDA_", "GRPC_", "HSA_", "HIP_", "JAX_", "KERAS_", "KMP_", "LD_", "LIBTPU_", "MALLOC_", "MKL_", "NCCL_",
    "NUMEXPR_", "NVIDIA_", "OMP_", "ONEDNN_", "OPENBLAS_", "PJRT_", "PYTHON", "PYTORCH_", "ROCM_", "TF_", "TORCH_",
    "TPU_", "XLA_",
)  # fmt: skip


def clean_environment() -> dict[str, str]:
    """This machine's environment without what belongs to the platform or to whoever started it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in _LEFT_OUT and not name.startswith(_LEFT_OUT_PREFIXES)
    }


def plain_environment(buckets: Path, shims: Path) -> dict[str, str]:
    """What every job of this platform starts from."""
    kept = clean_environment()
    kept["PATH"] = os.pathsep.join([str(shims), kept.get("PATH", os.defpath)])
    kept["PYTHONPATH"] = str(STARTUP)
    kept["CLOUDML_BUCKETS"] = str(buckets)
    return kept


def job_environment(
    plain: Mapping[str, str], variables: Mapping[str, str], paths: Iterable[Path], pip_target: Path
) -> dict[str, str]:
    """A job's environment; `paths` (its packages, its overlay) come before everything installed here."""
    own_path = variables.get("PYTHONPATH")
    search = [str(STARTUP), *map(str, paths), str(pip_target), *([own_path] if own_path else [])]
    return {
        **plain,
        **variables,
        "PYTHONPATH": os.pathsep.join(search),
        # What the job itself installs stays in the job.
        "PIP_TARGET": str(pip_target),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def suits_spare(variables: Iterable[tuple[str, str]], plain: Mapping[str, str], backend: str) -> bool:
    """Whether a spare that was started with the plain environment and this backend may take these variables."""
    for name, value in variables:
        if name == "KERAS_BACKEND":
            if value != backend:
                return False
        elif name.startswith(_READ_AT_IMPORT) and plain.get(name) != value:
            return False
    return True


def write_shims(folder: Path) -> None:
    """`python`, `python3` and `pip` as a job finds them: this interpreter."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SHIM_NAMES:
        module = " -m pip" if name.startswith("pip") else ""
        text = f'#!/bin/sh\nexec "{sys.executable}"{module} "$@"\n'
        shim = folder / name
        if not shim.exists() or shim.read_text("utf-8") != text:
            part = folder / f".{name}.{os.getpid()}"
            part.write_text(text, "utf-8")
            part.chmod(0o755)
            part.replace(shim)


def resolved_command(command: tuple[str, ...]) -> list[str]:
    """The command with this interpreter in place of a bare `python`, which spares a shell on the way."""
    first, *rest = command
    name = first.removeprefix("/usr/bin/").removeprefix("/usr/local/bin/")
    versioned = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if name in ("python", "python3", versioned):
        return [sys.executable, *rest]
    if name in ("pip", "pip3"):
        return [sys.executable, "-m", "pip", *rest]
    return list(command)
