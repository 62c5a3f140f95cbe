"""Buckets: folders whose files are the truth, and a side store for names that are no path."""
