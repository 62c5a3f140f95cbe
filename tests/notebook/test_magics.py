"""The magics in a shell: how lines are read, what slips are answered with, and what stays out of the namespace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from cloudml_magic import notebook
from cloudml_magic.errors import CloudMLError
from cloudml_magic.notebook.options import parse
from tests.shells import new_shell


@pytest.fixture
def shell(home: Path) -> Iterator[InteractiveShell]:
    shell = new_shell()
    notebook.register(shell)
    yield shell
    notebook.unregister(shell)


def train_options(shell: InteractiveShell, line: str) -> dict[str, object]:
    return vars(parse(shell.find_cell_magic("ml_train"), line))


def test_quotes_group_words_and_are_taken_off(shell: InteractiveShell) -> None:
    """As in a shell: a requirement with > in it, a value with spaces."""
    given_ = train_options(shell, """digits --requires 'a>=1,b' --arg "title=a b" --gpu T4:2 --env A --env B""")
    assert given_["name"] == "digits"
    assert given_["requires"] == ["a>=1,b"]
    assert given_["arg"] == ["title=a b"]
    assert given_["gpu"] == "T4:2"
    assert given_["env"] == ["A", "B"]


@pytest.mark.parametrize(
    ("line", "why", "advice"),
    [
        (
            "digits --gpuu T4",
            "unrecognized arguments: --gpuu T4",
            "Did you mean --gpu? `%%ml_train?` shows every option.",
        ),
        ("--wait=yes", "--wait: ignored explicit argument 'yes'", "`%%ml_train?` shows every option."),
        ("a b c", "unrecognized arguments: b c", "`%%ml_train?` shows every option."),
        ("digits --arg 'open", "No closing quotation", "`%%ml_train?` shows every option."),
        ("--target moon", "--target: invalid choice: 'moon' (choose from", "`%%ml_train?` shows every option."),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(shell: InteractiveShell, line: str, why: str, advice: str) -> None:
    """One clear message: which line, why, and what to do next."""
    with pytest.raises(CloudMLError) as caught:
        train_options(shell, line)
    assert caught.value.what == f"%%ml_train does not understand {line!r}."
    assert caught.value.why.startswith(why)
    assert caught.value.next == advice


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=st.text(max_size=80))
def test_any_line_is_read_or_refused(shell: InteractiveShell, line: str) -> None:
    """No text that a user can type ends in anything but options or our one error."""
    try:
        train_options(shell, line)
    except CloudMLError as error:
        assert error.next


def test_settings_are_shown_with_their_origin(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without arguments: each setting, its value, where it came from."""
    monkeypatch.setenv("CLOUDML_GPU", "T4")
    shell.run_line_magic("ml_init", "")
    rows = [line.split(None, 2) for line in capsys.readouterr().out.splitlines()]
    assert ["gpu", "T4", "environment (CLOUDML_GPU)"] in rows
    assert ["target", "local", "default"] in rows


def test_marked_cells_run_here_and_give_their_value(shell: InteractiveShell) -> None:
    """`%%ml_code` is a cell as any other to the kernel: names, last value, magics inside."""
    result = shell.run_cell("%%ml_code\na = 2\n%time b = 3\na + b", store_history=True)
    assert result.success
    assert result.result == 5
    assert (shell.user_ns["a"], shell.user_ns["b"]) == (2, 3)
    assert not shell.run_cell("%%ml_code\nraise ValueError('x')").success


def test_unloading_takes_everything_away(home: Path) -> None:
    """`%unload_ext` leaves no magic and no callback."""
    shell = new_shell()
    notebook.register(shell)
    notebook.register(shell)
    assert len(shell.events.callbacks["post_run_cell"]) == 1
    notebook.unregister(shell)
    assert shell.find_cell_magic("ml_train") is None
    assert shell.find_line_magic("ml_jobs") is None
    assert not shell.events.callbacks["post_run_cell"]


@pytest.mark.parametrize(
    ("line", "reference"),
    [
        ("%%ml_train a~1\n1", "bad-name"),
        ("%%ml_train --gpu RTX\n1", "unknown-gpu"),
        ("%%ml_train --gpu A100 --machine n1-standard-4\n1", "machine-without-gpu"),
        ("%%ml_train --timeout soon\n1", "bad-duration"),
        ("%%ml_train --env NOT_SET_ANYWHERE\n1", "environment-not-set"),
        ("%%ml_train --env CLOUDML_JOB\n1", "bad-option"),
        ("%%ml_train --into 3x\n1", "bad-option"),
        ("%%ml_train --arg 3\n1", "bad-option"),
        ("%%ml_train --data ../up=x\n1", "bad-data-path"),
        ("%%ml_train --data absent.csv\n1", "data-not-found"),
        ("%%ml_train --target cloud\n1", "no-project"),
        ("%%ml_train $nothing\n1", "bad-name"),
        ("%%ml_train {1/0}\n1", "bad-name"),
        ("%%ml_code --only\n1", "bad-option"),
        ("%ml_init --gpu RTX", "unknown-gpu"),
        ("%ml_init --machine potato", "bad-machine"),
        ("%ml_init --spare off --concurrent-jobs 0", "bad-setting"),
        ("%ml_job nothing", "unknown-job"),
        ("%ml_logs latest", "unknown-job"),
        ("%ml_jobs --delete nothing", "unknown-job"),
    ],
)
def test_nothing_is_sent_and_nothing_started_for_a_slip(
    shell: InteractiveShell, line: str, reference: str, home: Path
) -> None:
    """Each ends in one message, before the platform is even started."""
    result = shell.run_cell(line, store_history=True)
    error = result.error_in_exec
    assert isinstance(error, CloudMLError), error
    assert error.reference == reference
    assert not (home / ".local/share/cloudml-magic").exists()
