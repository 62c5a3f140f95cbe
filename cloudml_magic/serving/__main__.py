"""`python -m cloudml_magic.serving`: one version of one model, as docs/serving.md says."""

from __future__ import annotations

from cloudml_magic.serving.process import main

if __name__ == "__main__":
    main()
