"""Where a setting's value comes from."""

from pathlib import Path

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.settings import Settings


def write_configuration(home: Path, text: str) -> Path:
    file = home / ".config/cloudml-magic/config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_argument_beats_session_beats_environment_beats_file_beats_default(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each source counts where the ones before it are silent, and says that it was the one."""
    settings = Settings()
    assert (settings.resolve("target").value, settings.resolve("target").origin) == ("local", "default")
    file = write_configuration(home, 'region = "europe-west4"\n')
    assert settings.resolve("region").origin == f"config file ({file})"
    monkeypatch.setenv("CLOUDML_REGION", "us-east1")
    assert settings.resolve("region").value == "us-east1"
    assert settings.resolve("region").origin == "environment (CLOUDML_REGION)"
    settings.set({"region": "asia-east1"})
    assert (settings.resolve("region").value, settings.resolve("region").origin) == ("asia-east1", "session")
    assert settings.resolve("region", "us-west1").origin == "argument"


def test_a_value_that_is_not_allowed_changes_nothing(home: Path) -> None:
    """Of several settings given at once, none is kept if one is wrong."""
    settings = Settings()
    with pytest.raises(CloudMLError) as caught:
        settings.set({"region": "us-east1", "target": "moon"})
    assert str(caught.value) == ("target cannot be 'moon'.\n  Next: Use local or cloud.\n[bad-setting]")
    assert settings.value("region") is None


@pytest.mark.parametrize("name", ["project", "region", "bucket"])
def test_what_becomes_part_of_an_address_is_written_as_google_does(
    name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever follows `#` or `/` would lead to another server."""
    monkeypatch.setenv(f"CLOUDML_{name.upper()}", "evil.example/#")
    with pytest.raises(CloudMLError) as caught:
        Settings().value(name)
    example = {"project": "my-project-1", "region": "us-central1", "bucket": "my-bucket"}[name]
    assert str(caught.value) == (
        f"{name} cannot be 'evil.example/#'.\n  Why:  It was read from CLOUDML_{name.upper()}.\n"
        f"  Next: Write it as Google does, such as {example}.\n[bad-setting]"
    )


def test_a_setting_that_is_unknown_is_named(home: Path) -> None:
    """A slip of the keyboard is not silently kept."""
    with pytest.raises(CloudMLError, match="There is no setting 'regoin'"):
        Settings({"regoin": "x"})


def test_a_slip_in_a_profile_is_named_with_its_file(home: Path) -> None:
    """Else a job would go to another project, or another region, than its user thinks."""
    file = write_configuration(home, '[profiles.work]\nregoin = "us-east1"\n')
    with pytest.raises(CloudMLError) as caught:
        Settings({"profile": "work"}).value("region")
    assert str(caught.value).startswith(
        f"There is no setting 'regoin'.\n  Why:  It stands in [profiles.work] of {file}.\n  Next: The settings are: profile, "
    )


def test_a_home_that_is_no_folder_holds_no_configuration(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with it is said where something has to be written there."""
    (home / "file").write_text("")
    monkeypatch.setenv("HOME", str(home / "file"))
    assert Settings().value("target") == "local"


def test_a_broken_configuration_file_is_named_with_its_fault(home: Path) -> None:
    """Not a traceback of a parser, but the file and the line."""
    file = write_configuration(home, "region = \n")
    with pytest.raises(CloudMLError) as caught:
        Settings().value("region")
    assert caught.value.what == f"The configuration file {file} cannot be read."
    assert "line 1" in caught.value.why


def test_a_profile_counts_before_the_rest_of_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several projects stand in one file; what a profile does not say comes from the file's own settings."""
    file = write_configuration(
        home,
        'region = "europe-west4"\ngpu = "T4"\nprofile = "home"\n'
        '[profiles.home]\nproject = "mine"\n[profiles.work]\nproject = "theirs"\nregion = "us-east1"\n',
    )
    settings = Settings()
    assert settings.resolve("project").origin == f"profile home ({file})"
    settings.set({"profile": "work"})
    found = {name: settings.value(name) for name in ("project", "region", "gpu")}
    assert found == {"project": "theirs", "region": "us-east1", "gpu": "T4"}
    monkeypatch.setenv("CLOUDML_REGION", "us-west1")
    assert settings.value("region") == "us-west1"


def test_a_profile_takes_the_place_of_what_was_said_before_it(home: Path) -> None:
    """Else a job would go to a project of before under the name of another; what it does not say stays."""
    write_configuration(
        home,
        '[profiles.home]\nproject = "mine"\nbucket = "mine"\n'
        '[profiles.work]\nproject = "theirs"\nregion = "us-east1"\n',
    )
    settings = Settings()
    settings.set({"project": "typed", "region": "us-west1", "gpu": "T4"})

    def place() -> list[str | None]:
        return [settings.value(name) for name in ("project", "region", "bucket", "gpu")]

    settings.set({"profile": "work"})
    assert place() == ["theirs", "us-east1", None, "T4"]
    settings.set({"profile": "home", "bucket": "typed"})
    assert place() == ["mine", None, "typed", "T4"]
    settings.set({"region": "asia-east1"})
    assert place() == ["mine", "asia-east1", "typed", "T4"]
    with pytest.raises(CloudMLError, match="There is no profile 'wrok'"):
        settings.set({"profile": "wrok", "region": "us-west1"})
    assert place() == ["mine", "asia-east1", "typed", "T4"]


def test_a_profile_that_is_not_there_is_named_with_those_that_are(home: Path) -> None:
    """And is not kept."""
    from cloudml_magic.pipeline.session import CURRENT, init

    file = write_configuration(home, '[profiles.home]\nproject = "mine"\n')
    with pytest.raises(CloudMLError) as caught:
        init(profile="wrok")
    assert str(caught.value) == (
        "There is no profile 'wrok'.\n"
        f"  Why:  {file} has home.\n"
        "  Next: Write a table [profiles.wrok] there, with project, region and bucket, or choose another.\n"
        "[unknown-profile]"
    )
    assert CURRENT.value("profile") is None
