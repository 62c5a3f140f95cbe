"""`cloudml`: the platform, its jobs, and packages, from a shell."""

from cloudml_magic.command_line.main import main

__all__ = ["main"]
