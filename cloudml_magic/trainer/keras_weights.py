"""Pre-trained weights that came with the job, put where Keras looks before it would download them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping

from .job_folder import mounted

_MODELS = "models"


def place_weights(weights: Mapping[str, str]) -> None:
    """Copies each file that Keras's cache on this machine does not have."""
    for name, address in weights.items():
        folder = os.path.join(_keras_home(), _MODELS)
        os.makedirs(folder, exist_ok=True)
        target = os.path.join(folder, os.path.basename(name))
        if not os.path.exists(target):
            part = f"{target}.{os.getpid()}.part"
            shutil.copyfile(mounted(address), part)
            # Jobs of one machine share the cache: none of them may find half a file.
            os.replace(part, target)


def _keras_home() -> str:
    """As Keras counts it: by what it read when it was imported, or what it will read; never a folder without rights."""
    config = sys.modules.get("keras.src.backend.config")
    if config is not None:
        home = str(config.keras_home())
    else:
        base = os.path.expanduser("~")
        home = os.environ.get("KERAS_HOME") or os.path.join(base if os.access(base, os.W_OK) else "/tmp", ".keras")
    with contextlib.suppress(OSError):
        os.makedirs(home, exist_ok=True)
    if os.access(home, os.W_OK):
        return home
    return os.path.join("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir(), ".keras")
