"""What `pipeline` offers by name."""

from types import ModuleType

from cloudml_magic import pipeline

# Offered whole: `from cloudml_magic import files`.
ROOMS = ["files"]


def test_no_file_lies_over_what_is_offered() -> None:
    """A file that is called like an arrow would take its place as soon as it is imported."""
    assert [name for name in pipeline.__all__ if isinstance(getattr(pipeline, name), ModuleType)] == ROOMS
