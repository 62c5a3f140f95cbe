"""The contracts are held against the platform that `tests/local_platform` has."""

from tests.local_platform.conftest import places, served

__all__ = ["places", "served"]
