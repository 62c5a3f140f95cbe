"""Application Default Credentials: who this user is for Google, found as Google's own libraries find it."""

from __future__ import annotations

import threading
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.sign_in import LOG_IN

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class GoogleCredentials:
    """Found at the first use, and looked for anew where Google no longer accepts them: the user may have logged in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: tuple[Any, str | None] | None = None

    def get(self, search_again: bool = False) -> Any:
        """The credentials; a refused pair is replaced by what is there now."""
        return self._default(search_again)[0]

    def project(self) -> str | None:
        """The project that comes with them, where one does."""
        return self._default(False)[1]

    def _default(self, search_again: bool) -> tuple[Any, str | None]:
        with self._lock:
            # Who signs in anew leaves what was found before as it was: expired for good.
            if self._found is None or search_again or not self._found[0].valid:
                self._found = _search()
            return self._found


def _search() -> tuple[Any, str | None]:
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        found: tuple[Any, str | None] = google.auth.default(scopes=[_SCOPE])
    except DefaultCredentialsError as problem:
        raise CloudMLError(
            "no-credentials",
            "Google does not know who you are.",
            why=str(problem.args[0]),
            next=f"Say `{LOG_IN}` in a terminal; in Colab, `google.colab.auth.authenticate_user()`.",
        ) from problem
    return found
