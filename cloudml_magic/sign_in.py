"""What is said where Google does not let this user in, whichever of its APIs finds it out."""

from __future__ import annotations

from cloudml_magic.errors import CloudMLError

LOG_IN = "gcloud auth application-default login"


def expired(why: str) -> CloudMLError:
    """Google knows who it was and does not let them in any more."""
    return CloudMLError(
        "credentials-expired",
        "Google no longer accepts your credentials.",
        why=why,
        next=f"Say `{LOG_IN}` in a terminal. Jobs that run go on; what waits here goes on by itself then.",
    )
