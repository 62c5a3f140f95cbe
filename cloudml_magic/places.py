"""Where things lie on this machine: the XDG directories of the current HOME, read anew at each call.

Another HOME is another platform, another ledger and another configuration.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_FOLDER = "cloudml-magic"


def _xdg(variable: str, fallback: str) -> Path:
    value = os.environ.get(variable, "")
    base = Path(value) if value.startswith("/") else Path.home() / fallback
    return base / _FOLDER


def configuration_file() -> Path:
    """The user's own settings."""
    return _xdg("XDG_CONFIG_HOME", ".config") / "config.toml"


def ledger_file() -> Path:
    """The list of what this user submitted."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "ledger.sqlite"


def built_images_file() -> Path:
    """The images that this user had built."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "images.json"


def price_list_file(region: str) -> Path:
    """Google's prices for a region, as they were fetched last."""
    return _xdg("XDG_CACHE_HOME", ".cache") / "prices" / f"{region}.json"


def known_files_file() -> Path:
    """Checksums of files of this machine, and uploads that have not ended."""
    return _xdg("XDG_CACHE_HOME", ".cache") / "known_files.sqlite"


def lab_attended_file(session: str) -> Path:
    """Touched while a page of this Jupyter server is open, which draws the cards of its kernels itself."""
    return ledger_file().parent / f"lab_attended-{session}"


@dataclass(frozen=True, slots=True)
class PlatformPlaces:
    """The folders and files of one local platform."""

    state: Path
    data: Path
    cache: Path

    @classmethod
    def of_this_user(cls) -> PlatformPlaces:
        return cls(
            state=_xdg("XDG_STATE_HOME", ".local/state") / "platform",
            data=_xdg("XDG_DATA_HOME", ".local/share"),
            cache=_xdg("XDG_CACHE_HOME", ".cache"),
        )

    @property
    def buckets(self) -> Path:
        """One folder per bucket; the files in it are its objects."""
        return self.data / "buckets"

    @property
    def side_store(self) -> Path:
        """Objects whose names are no path."""
        return self.data / "side"

    @property
    def database(self) -> Path:
        return self.state / "platform.sqlite"

    @property
    def jobs(self) -> Path:
        """One folder per job: what its supervisor knows, its log, its exit code."""
        return self.state / "jobs"

    @property
    def spare(self) -> Path:
        """The warm spare interpreter's folder."""
        return self.state / "spare"

    @property
    def predictors(self) -> Path:
        """One folder per deployed model: where its serving process works and what it says."""
        return self.state / "predictors"

    @property
    def engines(self) -> Path:
        """Models converted for the fast engine, one folder per model's digest."""
        return self.cache / "engines"

    @property
    def overlays(self) -> Path:
        """Environments with what a job's requirements add to this one, one folder per set."""
        return self.cache / "overlays"

    @property
    def token_file(self) -> Path:
        return self.state / "token"

    @property
    def address_file(self) -> Path:
        """JSON with the running server's port, process id and start time."""
        return self.state / "address.json"

    @property
    def lock_file(self) -> Path:
        """Held by the running server for as long as it lives."""
        return self.state / "lock"

    @property
    def server_log(self) -> Path:
        return self.state / "server.log"
