"""Every setting resolves the same way everywhere: argument, session, environment, configuration file, default."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cloudml_magic.errors import CloudMLError


# Named tuples, for `%load_ext` makes these classes, and dataclasses take four times as long to be made.
class Setting(NamedTuple):
    """One thing that a user may set: `%ml_init --NAME`, CLOUDML_NAME, or `name = …` in the configuration file."""

    name: str
    meaning: str
    default: str | None = None
    choices: tuple[str, ...] = ()
    form: str = ""
    example: str = ""

    @property
    def variable(self) -> str:
        return f"CLOUDML_{self.name.upper()}"


class Resolved(NamedTuple):
    """A setting's value and where it came from."""

    name: str
    value: str | None
    origin: str


SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting("profile", "the table of the configuration file, [profiles.NAME], whose settings count"),
        Setting("target", "where jobs run", "local", ("local", "cloud")),
        # Project and region become parts of addresses that this user's credentials are sent to.
        Setting("project", "the project that jobs belong to", form="[a-z0-9.:-]+", example="my-project-1"),
        Setting("region", "where in the cloud jobs run", form="[a-z0-9-]+", example="us-central1"),
        Setting(
            "bucket", "the bucket for packages, data and results", form="(gs://)?[a-z0-9._-]+/?", example="my-bucket"
        ),
        Setting("machine", "machine type of a job, such as n1-standard-8"),
        Setting("gpu", "accelerator of a job, such as T4 or T4:2"),
        Setting(
            "service_account", "as whom jobs and deployed models act in the cloud, in place of Vertex AI's own agent"
        ),
        Setting(
            "dialect",
            "the API that is spoken: Vertex AI's, or the one before it",
            "aiplatform-v1",
            ("aiplatform-v1", "ml-v1"),
        ),
        Setting("kms_key", "the key of yours under which the cloud keeps jobs, models and endpoints"),
        Setting("requires", "packages that every job needs beyond what its code imports: 'pandas>=2,h5py'"),
        Setting("image", "container image of a job, in place of the one that fits this kernel"),
        Setting("concurrent_jobs", "jobs that the local platform runs at once, in place of one per GPU or two cores"),
        Setting("spare", "whether the local platform keeps a warm interpreter ready", "on", ("on", "off")),
    )
}


class Settings:
    """The settings of one session; what is not set here is looked up anew at each call."""

    def __init__(self, session: Mapping[str, str] | None = None) -> None:
        self._session: dict[str, str] = {}
        if session:
            self.set(session)

    def set(self, values: Mapping[str, str]) -> None:
        """Keeps values for this session; all of them, or none if one is not allowed.

        A profile takes the place of what was said before it, except for what is said together with it.
        """
        checked = {name: _checked(name, value, "argument") for name, value in values.items()}
        said = _said_by_profile(checked.get("profile"))
        self._session = {name: value for name, value in self._session.items() if name not in said} | checked

    def resolve(self, name: str, argument: str | None = None) -> Resolved:
        """The value that counts now, and where it came from."""
        setting = _known(name)
        if argument is not None:
            return Resolved(name, _checked(name, argument, "argument"), "argument")
        if name in self._session:
            return Resolved(name, self._session[name], "session")
        if value := os.environ.get(setting.variable):
            return Resolved(name, _checked(name, value, setting.variable), f"environment ({setting.variable})")
        from cloudml_magic.places import configuration_file

        file = configuration_file()
        document = _from_file(file)
        profile = None if name == "profile" else self.value("profile")
        if profile and (value := _profile(document, profile, file).get(name)) is not None:
            return Resolved(name, _checked(name, value, str(file)), f"profile {profile} ({file})")
        if (value := _texts(document).get(name)) is not None:
            return Resolved(name, _checked(name, value, str(file)), f"config file ({file})")
        return Resolved(name, setting.default, "default")

    def value(self, name: str, argument: str | None = None) -> str | None:
        """The value that counts now."""
        return self.resolve(name, argument).value

    def table(self) -> list[Resolved]:
        """Every setting with its value and where it came from."""
        return [self.resolve(name) for name in SETTINGS]


def _known(name: str, why: str = "") -> Setting:
    if name not in SETTINGS:
        raise CloudMLError(
            "unknown-setting",
            f"There is no setting {name!r}.",
            why=why,
            next=f"The settings are: {', '.join(SETTINGS)}.",
        )
    return SETTINGS[name]


def _checked(name: str, value: str, origin: str) -> str:
    setting = _known(name)
    advice = ""
    if setting.choices and value not in setting.choices:
        advice = f"Use {' or '.join(setting.choices)}."
    elif setting.form and not re.fullmatch(setting.form, value):
        advice = f"Write it as Google does, such as {setting.example}."
    if advice:
        why = "" if origin == "argument" else f"It was read from {origin}."
        raise CloudMLError("bad-setting", f"{name} cannot be {value!r}.", why=why, next=advice)
    return value


def _said_by_profile(name: str | None) -> Mapping[str, str]:
    if not name:
        return {}
    from cloudml_magic.places import configuration_file

    file = configuration_file()
    return _profile(_from_file(file), name, file)


def _profile(document: Mapping[str, Any], name: str, file: Path) -> dict[str, str]:
    profiles = document.get("profiles")
    known = profiles if isinstance(profiles, dict) else {}
    if not isinstance(known.get(name), dict):
        raise CloudMLError(
            "unknown-profile",
            f"There is no profile {name!r}.",
            why=f"{file} has {', '.join(known) or 'none'}.",
            next=f"Write a table [profiles.{name}] there, with project, region and bucket, or choose another.",
        )
    found = _texts(known[name])
    for setting in found:
        _known(setting, f"It stands in [profiles.{name}] of {file}.")
    return found


def _from_file(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise CloudMLError(
            "unreadable-config",
            f"The configuration file {file} cannot be read.",
            why=str(problem),
            next="Mend or remove it.",
        ) from problem


def _texts(table: Mapping[str, Any]) -> dict[str, str]:
    """The settings of a table as texts; tables in it are none."""
    return {name: _as_text(value) for name, value in table.items() if not isinstance(value, dict)}


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
