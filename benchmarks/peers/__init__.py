"""The same SavedModel behind other servers; each file is run by the environment of its server."""
