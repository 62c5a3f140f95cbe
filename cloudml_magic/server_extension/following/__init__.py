"""Follows running jobs while somebody looks: from their events to documents, and from documents to deltas."""
