"""Starts a trainer package in its container: `python3 -c BOOT PACKAGE_URI SHA256 MODULE [--NAME=VALUE …]`."""

import atexit
import hashlib
import io
import os
import re
import runpy
import shutil
import sys
import tarfile
import zlib

MEMBERS, BYTES, RATIO = 10_000, 1 << 30, 100


def refuse(why: str) -> None:
    sys.exit(f"The package {why}. Nothing of it was run.")


def read(uri: str, digest: str) -> bytes:
    try:
        with open("/gcs/" + uri[5:] if uri.startswith("gs://") else uri, "rb") as file:
            content = file.read(BYTES + 1)
    except OSError as problem:
        refuse(f"{uri} cannot be read: {problem}")
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        refuse(f"{uri} is not the one that was submitted: its sha256 is {found}, not {digest}")
    return content


def unpack(content: bytes, folder: str) -> str:
    """Regular files and folders, each once, inside the folder, within limits; checked before any is written."""
    limit = min(BYTES, RATIO * max(len(content), 1 << 20))
    inflating = zlib.decompressobj(zlib.MAX_WBITS | 16)
    plain = inflating.decompress(content, limit)
    if not inflating.eof:
        refuse("is too large to unpack" if len(plain) == limit else "is cut off")
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
        members: list[tuple[tarfile.TarInfo, str]] = []
        seen: set[str] = set()
        total = 0
        for member in archive:
            name = os.path.normpath(member.name)
            if os.path.isabs(name) or ".." in member.name.split("/") or "\\" in name or "\0" in name:
                refuse(f"holds {member.name!r}, which would land outside its folder")
            if not (member.isreg() or member.isdir()) or member.issparse():
                refuse(f"holds {member.name!r}, which is neither file nor folder")
            if name.casefold() in seen and member.isreg():
                refuse(f"holds {member.name!r} twice")
            seen.add(name.casefold())
            members.append((member, name))
            total += member.size
            if len(members) > MEMBERS or total > limit:
                refuse("is too large to unpack")
        for member, name in members:
            target = os.path.join(folder, name)
            os.makedirs(target if member.isdir() else os.path.dirname(target), exist_ok=True)
            source = archive.extractfile(member) if member.isreg() else None
            if source:
                with open(target, "xb") as file:
                    file.write(source.read())
    roots = os.listdir(folder)
    return os.path.join(folder, roots[0]) if len(roots) == 1 else folder


def is_met(requirement: str) -> bool:
    import importlib.metadata  # takes longer than all the rest; most packages require nothing

    name, pinned = re.match(r"([\w.-]+)(?:\s*==\s*([\w.!+-]+)$)?", requirement).groups()  # type: ignore[union-attr]
    try:
        if pinned or requirement == name:
            return importlib.metadata.version(name) == (pinned or importlib.metadata.version(name))
        from packaging.requirements import Requirement

        parsed = Requirement(requirement)
        if parsed.marker and not parsed.marker.evaluate():
            return True
        return not parsed.extras and parsed.specifier.contains(importlib.metadata.version(name), True)
    except (ImportError, ValueError):
        return False


def main() -> None:
    uri, digest, module, *arguments = sys.argv[1:]
    folder = os.path.join(os.environ.get("TMPDIR") or "/tmp", "cloudml-" + os.urandom(8).hex())
    os.mkdir(folder, 0o700)
    atexit.register(shutil.rmtree, folder, True)
    try:
        root = unpack(read(uri, digest), folder)
        with open(os.path.join(root, "PKG-INFO"), encoding="utf-8") as file:
            required = re.findall(r"(?m)^Requires-Dist: *(.+?)\s*$", file.read().partition("\n\n")[0])
    except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as problem:
        refuse(f"{uri} cannot be unpacked: {problem}")
    lacking = [requirement for requirement in required if not is_met(requirement)]
    if lacking:
        import subprocess

        print("Installing " + ", ".join(lacking), flush=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *lacking]
        if subprocess.call(pip):
            sys.exit(f"These requirements could not be installed: {', '.join(lacking)}.")
    sys.path.insert(0, root)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


main()
