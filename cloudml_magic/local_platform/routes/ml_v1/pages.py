"""Lists of the older API: a page is shorter where nobody says how long."""

from __future__ import annotations

from functools import partial

from cloudml_magic.local_platform.routes.pages import page

ml_page = partial(page, default_size=20)
"""One page of rows, as `page` makes it."""
