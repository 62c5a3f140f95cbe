"""Archives that try to land where they must not, by name; each is made when it is asked for."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable

PAYLOAD = b"raise SystemExit('executed')\n"
_OUTSIDE = {
    "parent": "../evil.py",
    "deep-parent": "p/../../evil.py",
    "inner-parent": "p/a/../../../evil.py",
    "dots-inside": "p/../p/evil.py",
    "absolute": "/tmp/cloudml-evil.py",
    "double-slash": "//tmp/cloudml-evil.py",
    "backslash": "..\\evil.py",
    "backslash-inside": "p\\..\\..\\evil.py",
    "drive": "C:\\evil.py",
}
_KINDS = {
    "symlink-out": (tarfile.SYMTYPE, "../../evil"),
    "symlink-absolute": (tarfile.SYMTYPE, "/etc/passwd"),
    "symlink-inside": (tarfile.SYMTYPE, "evil.py"),
    "hardlink-out": (tarfile.LNKTYPE, "../../evil"),
    "hardlink-inside": (tarfile.LNKTYPE, "p/evil.py"),
    "character-device": (tarfile.CHRTYPE, ""),
    "block-device": (tarfile.BLKTYPE, ""),
    "fifo": (tarfile.FIFOTYPE, ""),
    "contiguous-unknown": (b"Z"[:1], ""),
}


def _tar(*members: tuple[str, bytes | int, bytes | None, str]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name, content, kind, target in members:
            member = tarfile.TarInfo(name)
            member.linkname = target
            if kind is not None:
                member.type = kind
            if isinstance(content, int):
                member.size = content
                archive.addfile(member, _Zeros(content))
            else:
                member.size = len(content) if kind is None else 0
                archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


class _Zeros(io.RawIOBase):
    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        size = self._left if size < 0 else min(size, self._left)
        self._left -= size
        return bytes(size)


def _plain(name: str, content: bytes | int = PAYLOAD) -> tuple[str, bytes | int, None, str]:
    return name, content, None, ""


def _outside(name: str) -> Callable[[], bytes]:
    return lambda: _tar(_plain("p/PKG-INFO", b"Name: p\n"), _plain(name))


def _kind(kind: bytes, target: str) -> Callable[[], bytes]:
    return lambda: _tar(_plain("p/evil.py"), ("p/link", b"", kind, target), _plain("p/link/evil.py"))


def _sparse() -> bytes:
    """Half a kilobyte that says it is a file of a terabyte."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("p/evil.py")
        member.size = len(PAYLOAD)
        member.pax_headers = {"GNU.sparse.size": str(1 << 40), "GNU.sparse.map": f"0,{len(PAYLOAD)}"}
        archive.addfile(member, io.BytesIO(PAYLOAD))
    return file.getvalue()


HOSTILE_TARS: dict[str, Callable[[], bytes]] = {
    **{name: _outside(path) for name, path in _OUTSIDE.items() if name != "drive"},
    **{name: _kind(*kind) for name, kind in _KINDS.items() if name != "contiguous-unknown"},
    "twice": lambda: _tar(_plain("p/evil.py"), _plain("p/evil.py")),
    "twice-by-case": lambda: _tar(_plain("p/evil.py"), _plain("p/EVIL.py")),
    "twice-by-dot": lambda: _tar(_plain("p/evil.py"), _plain("p/./evil.py")),
    "many": lambda: _tar(*(_plain(f"p/{number}", b"") for number in range(10_001))),
    "sparse": _sparse,
    "bomb": lambda: _tar(_plain("p/zeros", 300 << 20)),
    "truncated": lambda: _tar(_plain("p/evil.py", PAYLOAD * 5000))[:-40],
    "no-archive": lambda: PAYLOAD,
    "empty": lambda: b"",
}


def _zip(*names: str, mode: int = 0, size: int = 0) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, bytes(size) or PAYLOAD)
    return file.getvalue()


HOSTILE_ZIPS: dict[str, Callable[[], bytes]] = {
    **{f"zip-{name}": (lambda path=path: _zip("p.dist-info/METADATA", path)) for name, path in _OUTSIDE.items()},  # type: ignore[misc]
    "zip-symlink": lambda: _zip("link", mode=0o120777),
    "zip-device": lambda: _zip("device", mode=0o020666),
    "zip-twice-by-case": lambda: _zip("p/evil.py", "p/Evil.py"),
    "zip-beneath-a-file": lambda: _zip("p", "p/evil.py"),
    "zip-bomb": lambda: _zip("zeros", size=300 << 20),
    "zip-many": lambda: _zip(*(str(number) for number in range(10_001))),
    "zip-long-name": lambda: _zip("x" * 300),
}
