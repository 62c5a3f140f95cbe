"""%ml_init: where jobs go and what they run on."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from cloudml_magic.notebook.options import parse
from cloudml_magic.settings import SETTINGS

_RARE = ("profile", "service_account", "kms_key")
_SUBJECT_WIDTH = 14


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
    @argument("--setup", action="store_true", help="in the cloud: enable missing APIs, make a missing bucket")
    @line_magic
    def ml_init(self, line: str) -> None:
        """Sets where jobs go and what they run on, for this session.

        Without options it shows each setting and where it came from: argument, session, environment, profile,
        configuration file or default. Where jobs go to the cloud it checks credentials, project, APIs, region, rights
        and bucket, each with the command that mends it.
        """
        from cloudml_magic import pipeline
        from cloudml_magic.records import Target

        given = vars(parse(self.ml_init, line))
        setup = given.pop("setup")
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


def _check(setup: bool) -> None:
    from cloudml_magic import pipeline
    from cloudml_magic.errors import CloudMLError
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
