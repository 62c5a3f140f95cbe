"""What notebooks of 2017 say, understood today, with a note about what is newer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from cloudml_magic import notebook
from cloudml_magic.catalogue import catalogue
from cloudml_magic.dialects.scale_tiers import MASTER_TYPES
from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform.routes.ml_v1.machines import machine_need
from cloudml_magic.pipeline.session import CURRENT
from tests.shells import new_shell

LINE = "-projectId mine -bucket my-bucket -region us-central1 -scaleTier BASIC_GPU -runtimeVersion 1.2"


@pytest.fixture
def shell(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.setattr(CURRENT, "_session", {})
    shell = new_shell()
    notebook.register(shell)
    yield shell
    notebook.unregister(shell)


def settings() -> dict[str, str | None]:
    return {name: CURRENT.value(name) for name in ("project", "bucket", "region", "machine", "gpu", "requires")}


def test_the_line_of_2017_sets_what_it_set(shell: InteractiveShell, capsys: Any) -> None:
    """A scale tier is the machine that comes nearest; a note says once how it is said today."""
    shell.run_line_magic("ml_init", LINE)
    assert settings() == {
        "project": "mine", "bucket": "my-bucket", "region": "us-central1", "machine": "n1-standard-8", "gpu": "T4",
        "requires": None,
    }  # fmt: skip
    note = (
        "These are the options of 2017. Today: %ml_init --project mine --bucket my-bucket --region us-central1"
        " --machine n1-standard-8 --gpu T4\n"
        "BASIC_GPU is n1-standard-8 with T4 now: its K80 is gone from Google's cloud.\n"
        "Runtime 1.2 is gone; a job runs the TensorFlow and the Keras of this kernel.\n\n"
    )
    assert capsys.readouterr().out.startswith(note)
    shell.run_line_magic("ml_init", LINE)
    assert "2017" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "machine", "gpu"),
    [
        ("-scaleTier CUSTOM -masterType complex_model_m_gpu", "n1-standard-16", "T4:4"),
        ("-scaleTier custom -masterType n1-highmem-8", "n1-highmem-8", "none"),
        ("-masterType standard_v100", "n1-standard-8", "V100"),
    ],
)
def test_a_tier_of_ones_own_names_its_master(shell: InteractiveShell, words: str, machine: str, gpu: str) -> None:
    """By the names of AI Platform, or by one of Compute Engine."""
    shell.run_line_magic("ml_init", f"-projectId mine {words}")
    assert (settings()["machine"], settings()["gpu"]) == (machine, gpu)


def test_every_master_of_then_is_a_machine_of_today() -> None:
    """With as many accelerators as it may carry, and as the older API itself is understood here."""
    for name, meant in MASTER_TYPES.items():
        if meant.machine == "cloud-tpu":
            continue
        kind, _, count = (meant.gpu or "").partition(":")
        accelerator = catalogue().accelerator(kind) if kind else None
        machine = catalogue().machine_types[meant.machine]
        assert accelerator is None or int(count or 1) in accelerator.counts_on(machine), name
        need = machine_need(name, None)
        assert (need.machine_type, need.accelerator, need.count) == (
            meant.machine, accelerator.api_name if accelerator else None, int(count or 1) if accelerator else 0
        ), name  # fmt: skip


def test_the_dictionary_beneath_is_read_and_never_run(shell: InteractiveShell) -> None:
    """What it names is installed for each job."""
    shell.run_cell_magic("ml_init", LINE, "{'install_requires': ['pandas>=2', 'h5py']}")
    assert settings()["requires"] == "pandas>=2,h5py"
    with pytest.raises(CloudMLError) as caught:
        shell.run_cell_magic("ml_init", LINE, "{'install_requires': [__import__('os').environ.clear()]}")
    assert caught.value.what == "The cell beneath %%ml_init is no dictionary of settings."


def test_a_dictionary_goes_with_todays_options_too(shell: InteractiveShell) -> None:
    shell.run_cell_magic("ml_init", "--gpu L4", "{'install_requires': ['pandas']}\n")
    assert (settings()["gpu"], settings()["requires"]) == ("L4", "pandas")


def test_a_dictionary_that_would_be_lost_is_refused(shell: InteractiveShell) -> None:
    """With one % the line is all that a magic gets; in 2017 this lost the requirements without a word."""
    result = shell.run_cell(f"%ml_init {LINE}\n{{'install_requires': ['pandas']}}")
    assert str(result.error_in_exec) == (
        "The dictionary beneath %ml_init is not read: a magic with one % is its line alone.\n"
        "  Next: Write %%ml_init, with two.\n"
        "[lost-settings]"
    )


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("-projectId p -scaleTier HUGE", "The scale tier HUGE cannot be used here: the tiers are BASIC, STANDARD_1,"),
        ("-projectId p -scaleTier CUSTOM", "The scale tier CUSTOM says nothing without its machine type."),
        ("-scaleTier BASIC -masterType standard", "-masterType standard does not go with the scale tier BASIC."),
        ("-scaleTier CUSTOM -masterType huge_model", "'huge_model' is no machine type."),
        ("-projectId p -zone x", "%ml_init does not understand '-projectId p -zone x'."),
        ("-projectId", "%ml_init does not understand '-projectId'."),
    ],
)
def test_slips_are_named(shell: InteractiveShell, line: str, what: str) -> None:
    with pytest.raises(CloudMLError) as caught:
        shell.run_line_magic("ml_init", line)
    assert caught.value.what.startswith(what)
    assert caught.value.next


def test_without_a_word_a_cell_runs_here_and_is_marked(shell: InteractiveShell) -> None:
    """So that it travels with the job of a later cell."""
    result = shell.run_cell("%%ml_run\nx = 20\nx + 1")
    assert (result.result, shell.user_ns["x"]) == (21, 20)


def test_another_word_is_refused(shell: InteractiveShell) -> None:
    with pytest.raises(CloudMLError) as caught:
        shell.run_cell_magic("ml_run", "moon", "1")
    assert str(caught.value) == (
        "%%ml_run does not understand 'moon'.\n"
        "  Why:  It knows one word: cloud.\n"
        "  Next: Write %%ml_run to run the cell here, %%ml_run cloud to train it as a job, or %%ml_train NAME.\n"
        "[bad-option]"
    )


def test_the_word_cloud_means_the_cloud_unless_something_else_was_said(shell: InteractiveShell, capsys: Any) -> None:
    """Here no project is set, which is said; nothing is sent anywhere else instead."""
    with pytest.raises(CloudMLError) as caught:
        shell.run_cell_magic("ml_run", "cloud", "print(1)")
    assert caught.value.reference == "no-project"
    assert "%%ml_run cloud is %%ml_train today" in capsys.readouterr().out
