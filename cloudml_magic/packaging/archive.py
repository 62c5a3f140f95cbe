"""Archives whose bytes follow from what they hold: sorted names, fixed times, stored without compression."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping


def stored_archive(root: str, members: Mapping[str, bytes]) -> bytes:
    """A .tar.gz with everything in one folder."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in sorted(members.items()):
            information = tarfile.TarInfo(f"{root}/{path}")
            information.size = len(content)
            information.mode = 0o644
            archive.addfile(information, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), compresslevel=0, mtime=0)
