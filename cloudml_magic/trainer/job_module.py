"""`cloudml_magic` inside a job: just `report`, so that importing it is never a requirement."""

from cloudml_trainer.reporting import report  # type: ignore[import-not-found]

__all__ = ["report"]
