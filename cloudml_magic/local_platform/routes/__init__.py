"""What the platform answers, one file per API; each handler is found by the id of Google's method."""
