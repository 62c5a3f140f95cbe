"""Where Google's APIs answer; addresses that an organisation set for gcloud count here too."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cloudml_magic.errors import CloudMLError

_REGIONAL = frozenset({"aiplatform", "ml"})


def host(api: str, region: str, environment: Mapping[str, str]) -> str:
    """The root of an API's addresses, such as `https://us-central1-aiplatform.googleapis.com`."""
    # In `https://evil.example#-aiplatform.googleapis.com` somebody else would be handed this user's credentials.
    if not re.fullmatch("[a-z0-9-]+", region):
        raise CloudMLError("bad-region", f"{region!r} is no region.", next="Say `%ml_init --region us-central1`.")
    return overridden(api, environment) or f"https://{f'{region}-' if api in _REGIONAL else ''}{api}.googleapis.com"


def overridden(api: str, environment: Mapping[str, str]) -> str | None:
    """The private address that gcloud's own variable names for an API."""
    return environment.get(f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api.upper()}", "").rstrip("/") or None
