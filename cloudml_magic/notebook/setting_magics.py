"""%ml_init: where jobs go and what they run on."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from cloudml_magic.errors import CloudMLError
from cloudml_magic.notebook.options import parse
from cloudml_magic.settings import SETTINGS

_RARE = ("requires", "profile", "service_account", "kms_key")
_SUBJECT_WIDTH = 14
_LOST = "install_requires"


def _setting_arguments(magic: Any) -> Any:
    for setting in reversed(SETTINGS.values()):
        choices = f" ({' or '.join(setting.choices)})" if setting.choices else ""
        magic = argument(f"--{setting.name.replace('_', '-')}", help=f"{setting.meaning}{choices}")(magic)
    return magic


@magics_class
class SettingMagics(Magics):
    """Settings of this session."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._said = False

    @magic_arguments()
    @_setting_arguments
    @argument("--setup", action="store_true", help="in the cloud: enable missing APIs, make a missing bucket")
    @line_cell_magic
    def ml_init(self, line: str, cell: str | None = None) -> None:
        """Sets where jobs go and what they run on, for this session.

        Without options it shows each setting and where it came from: argument, session, environment, profile,
        configuration file or default. Where jobs go to the cloud it checks credentials, project, APIs, region, rights
        and bucket, each with the command that mends it.
        """
        from cloudml_magic import pipeline
        from cloudml_magic.records import Target

        given, setup = self._given(line, cell)
        resolved = pipeline.init(**given)
        chosen = {setting.name: setting.value for setting in resolved}
        if chosen["target"] == Target.CLOUD and (setup or any(given.values())):
            _check(setup)
            resolved = pipeline.init()
        shown = [setting for setting in resolved if setting.value or setting.name not in _RARE]
        width = max(len(setting.name) for setting in shown)
        values = max(len(setting.value or "–") for setting in shown)
        for setting in shown:
            print(f"{setting.name:<{width}}  {setting.value or '–':<{values}}  {setting.origin}")

    def _given(self, line: str, cell: str | None) -> tuple[dict[str, Any], bool]:
        """The settings that are given, in the words of today or of 2017, and whether to set up what is missing."""
        # Imported at the first use, so that %load_ext stays instant.
        from cloudml_magic.notebook.this_cell import this_cell
        from cloudml_magic.notebook.words_of_2017 import is_of_2017, requires_of, translated

        if not is_of_2017(line):
            given = vars(parse(self.ml_init, line))
            setup = given.pop("setup")
            if requires := requires_of(cell):
                given["requires"] = ",".join(requires)
            return given, setup
        if cell is None and _LOST in this_cell(self.shell, line, "").cell.text:
            raise CloudMLError(
                "lost-settings",
                "The dictionary beneath %ml_init is not read: a magic with one % is its line alone.",
                next="Write %%ml_init, with two.",
            )
        found = translated(line, cell)
        if not self._said:
            print("\n".join(found.notes), end="\n\n")
            self._said = True
        return dict(found.settings), False


def _check(setup: bool) -> None:
    from cloudml_magic import pipeline
    from cloudml_magic.records.findings import finding_lines

    fatal = None
    for finding in pipeline.check_cloud(setup):
        print("\n".join(finding_lines([finding], width=_SUBJECT_WIDTH)))
        fatal = finding if finding.is_fatal else None
    if fatal is not None:
        raise CloudMLError(
            "cloud-not-ready",
            "The cloud is not ready for jobs yet.",
            why=f"{fatal.subject}: {fatal.state}",
            next=fatal.fix,
        )
    print()
