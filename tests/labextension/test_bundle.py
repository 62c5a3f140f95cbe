"""The bundle stays small: what a page loads of ours before it shows anything."""

from __future__ import annotations

import gzip
from pathlib import Path

STATIC = Path(__file__).parents[2] / "cloudml_magic" / "labextension" / "static"
LARGEST = 150_000
LARGEST_GZIPPED = 60_000


def test_the_bundle_stays_small() -> None:
    """All scripts and styles together: 150 KB, and 60 KB as they travel."""
    scripts = [file.read_bytes() for file in STATIC.glob("*.js") if not file.name.startswith("third-party")]
    assert scripts, "The lab extension is not built: run `make lab`."
    assert sum(map(len, scripts)) < LARGEST
    assert sum(len(gzip.compress(script, 9)) for script in scripts) < LARGEST_GZIPPED


def test_nothing_is_fetched_from_elsewhere() -> None:
    """No script, font or style of another host: a page behind a firewall works."""
    for file in STATIC.glob("*.js"):
        text = file.read_text("utf-8")
        for address in ("cdn.", "unpkg.com", "googleapis.com/css", "jsdelivr"):
            assert address not in text
