"""%ml_init: where jobs go and what they run on."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from cloudml_magic.notebook.options import parse
from cloudml_magic.settings import SETTINGS


def _setting_arguments(magic: Any) -> Any:
    for setting in reversed(SETTINGS.values()):
        choices = f" ({' or '.join(setting.choices)})" if setting.choices else ""
        magic = argument(f"--{setting.name.replace('_', '-')}", help=f"{setting.meaning}{choices}")(magic)
    return magic


@magics_class
class SettingMagics(Magics):
    """Settings of this session."""

    @magic_arguments()
    @_setting_arguments
    @line_magic
    def ml_init(self, line: str) -> None:
        """Sets where jobs go and what they run on, for this session.

        Without options it shows each setting and where it came from: argument, session, environment,
        configuration file or default.
        """
        from cloudml_magic import pipeline

        given = vars(parse(self.ml_init, line))
        resolved = pipeline.init(**given)
        width = max(len(setting.name) for setting in resolved)
        values = max(len(setting.value or "–") for setting in resolved)
        for setting in resolved:
            print(f"{setting.name:<{width}}  {setting.value or '–':<{values}}  {setting.origin}")
