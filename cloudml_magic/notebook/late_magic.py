"""A magic that is there at once and made at its first use: most of what `%ml_…` needs is its options and their help."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class LateMagic:
    """Stands in a shell's tables for a magic of a family; whatever is asked of it makes the family."""

    def __init__(self, shell: Any, family: str, name: str) -> None:
        self._shell = shell
        self._family = family
        self.__name__ = name

    def __call__(self, line: str, cell: str | None = None) -> Any:
        magic = self._made()
        return magic(line) if cell is None else magic(line, cell)

    def __getattr__(self, attribute: str) -> Any:
        # IPython asks a magic what it is before it runs or describes it.
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(self._made(), attribute)

    def getdoc(self) -> str:
        """The manual page that `%ml_train?` shows."""
        return str(self._made().__doc__)

    def _made(self) -> Any:
        module, _, kind = self._family.partition(":")
        made = self._shell.magics_manager.registry
        if kind not in made:
            # The shell puts the family's own magics in the place of those that stand for them.
            self._shell.register_magics(getattr(import_module(f"cloudml_magic.notebook.{module}"), kind)(self._shell))
        return getattr(made[kind], self.__name__)
