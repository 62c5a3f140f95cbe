"""`.npy` and `.npz` bodies: arrays of plain numbers, read without pickle and without believing their headers."""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any

import numpy as np

from cloudml_magic.serving.refusals import RefusedError

NPY = "application/x-npy"
NPZ = "application/x-npz"
MOST_BYTES = 100 * 1024 * 1024
_MOST_HEADER = 4096
_MOST_MEMBERS = 256


def one_array(body: bytes) -> Any:
    """The array of a `.npy` file; its memory is the body's own."""
    stream = io.BytesIO(body)
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version} of the format is not read")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(stream, max_header_size=_MOST_HEADER)
        if dtype.kind not in "fiub":
            raise ValueError(f"it holds {dtype}, and only plain numbers are read; send text and bytes as JSON")
        offset, count = stream.tell(), math.prod(shape)
        if len(shape) > 32 or min(shape, default=0) < 0 or len(body) - offset != count * dtype.itemsize:
            raise ValueError(f"its header says {list(shape)[:32]} of {dtype}, but {len(body) - offset} bytes follow")
        array = np.frombuffer(body, dtype, count, offset).reshape(shape, order="F" if is_fortran else "C")
    # What NumPy raises on a hostile header is of many kinds (SyntaxError, TypeError, MemoryError, …).
    except Exception as problem:
        raise RefusedError(400, f"The body is no .npy file: {str(problem)[:200]}.") from None
    return array if dtype.isnative else array.astype(dtype.newbyteorder("="))


def arrays_of_npz(body: bytes) -> dict[str, Any]:
    """The arrays of a `.npz` file by name."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS or sum(member.file_size for member in members) > MOST_BYTES:
                raise ValueError("it would unpack to more than 100 MB, or to too many arrays")
            found: dict[str, Any] = {}
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name in found:
                    raise ValueError(f"it holds {name[:100]!r} twice")
                with archive.open(member) as stream:
                    # Never more than the header promised, which was counted above.
                    found[name] = one_array(stream.read(member.file_size))
            return found
    except RefusedError:
        raise
    except Exception as problem:
        raise RefusedError(400, f"The body is no .npz file: {str(problem)[:200]}.") from None
