"""Where the Unix sockets of serving processes are: in a folder that is ours alone, with a path that is short enough."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from cloudml_magic.errors import CloudMLError

# The kernel takes paths of sockets up to 107 bytes.
_LONGEST_SOCKET = 100


def socket_folder(folder: Path) -> Path:
    """Where the sockets are: the folder itself, or a private one with a shorter path."""
    if len(os.fsencode(folder)) + 24 <= _LONGEST_SOCKET:
        return folder
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    shorter = Path(tempfile.gettempdir()) / f"cloudml-{os.getuid()}-{name}"
    shorter.mkdir(mode=0o700, exist_ok=True)
    found = shorter.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise CloudMLError(
            "socket-folder-not-ours",
            f"The folder {shorter} for the local platform's sockets is not yours alone.",
            why="Somebody else made it, or may write to it.",
            next="Remove it, or point TMPDIR to a folder of your own.",
        )
    return shorter
