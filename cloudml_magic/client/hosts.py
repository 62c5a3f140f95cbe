"""Where Google's APIs answer; addresses that an organisation set for gcloud count here too."""

from __future__ import annotations

from collections.abc import Mapping

_REGIONAL = frozenset({"aiplatform", "ml"})


def host(api: str, region: str, environment: Mapping[str, str]) -> str:
    """The root of an API's addresses, such as `https://us-central1-aiplatform.googleapis.com`."""
    return overridden(api, environment) or f"https://{f'{region}-' if api in _REGIONAL else ''}{api}.googleapis.com"


def overridden(api: str, environment: Mapping[str, str]) -> str | None:
    """The private address that gcloud's own variable names for an API."""
    return environment.get(f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api.upper()}", "").rstrip("/") or None
