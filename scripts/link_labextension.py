"""Links the built lab extension into this environment, since an editable install brings none of it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINKS = {
    "share/jupyter/labextensions/cloudml-magic": "cloudml_magic/labextension",
    "etc/jupyter/jupyter_server_config.d/cloudml_magic.json": "jupyter-config/cloudml_magic.json",
}


def main() -> None:
    for place, source in LINKS.items():
        link = Path(sys.prefix) / place
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT / source)


if __name__ == "__main__":
    main()
