"""AI Platform's `ml` v1, the API before Vertex AI: records to calls and answers to records, no I/O."""

API = ("ml", "v1")

__all__ = ["API"]
