"""Machines: short names, valid pairings, and advice for invalid ones."""

import pytest

from cloudml_magic.dialects.machines import accelerator_type, checked_machine, machine_type, parse_accelerator
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Accelerator, Machine


@pytest.mark.parametrize(
    ("text", "expected", "api_name", "machine"),
    [
        ("T4", Accelerator("T4", 1), "NVIDIA_TESLA_T4", "n1-standard-8"),
        ("t4:2", Accelerator("T4", 2), "NVIDIA_TESLA_T4", "n1-standard-8"),
        ("V100:8", Accelerator("V100", 8), "NVIDIA_TESLA_V100", "n1-standard-16"),
        ("L4:4", Accelerator("L4", 4), "NVIDIA_L4", "g2-standard-48"),
        ("A100-80:2", Accelerator("A100-80", 2), "NVIDIA_A100_80GB", "a2-ultragpu-2g"),
        ("H200:8", Accelerator("H200", 8), "NVIDIA_H200_141GB", "a3-ultragpu-8g"),
    ],
)
def test_a_short_name_finds_the_smallest_machine(text: str, expected: Accelerator, api_name: str, machine: str) -> None:
    """`--gpu T4:2` is enough: the machine that carries it follows."""
    accelerator = parse_accelerator(text)
    assert accelerator == expected
    assert accelerator_type(accelerator) == api_name
    assert machine_type(checked_machine(Machine(None, accelerator))) == machine


@pytest.mark.parametrize("text", ["T4:3", "T4:0", "T4:x", "T4:-1", "T4:²", "H200"])
def test_a_count_that_no_machine_has_is_refused_with_one_that_exists(text: str) -> None:
    """The advice can be typed as it stands."""
    with pytest.raises(CloudMLError) as caught:
        parse_accelerator(text)
    assert caught.value.reference == "bad-gpu-count"
    advice = caught.value.next.rpartition("--gpu ")[2].rstrip(".")
    assert parse_accelerator(advice)


def test_an_unknown_gpu_is_answered_with_the_known_ones() -> None:
    """The message lists what there is."""
    with pytest.raises(CloudMLError) as caught:
        parse_accelerator("RTX:2")
    assert str(caught.value).startswith("There is no GPU called 'RTX'.\n  Next: Choose one of T4, P4, P100, V100, L4,")


def test_a_machine_that_cannot_carry_the_gpu_is_answered_with_one_that_can() -> None:
    """An impossible pairing is explained before anything is sent."""
    with pytest.raises(CloudMLError) as caught:
        checked_machine(Machine("n1-standard-8", Accelerator("A100", 2)))
    assert str(caught.value) == (
        "n1-standard-8 cannot carry 2 × A100.\n"
        "  Next: Leave --machine out, or say --machine a2-highgpu-2g.\n[machine-without-gpu]"
    )


@pytest.mark.parametrize("text", ["big", "n1 standard", "N1-STANDARD-8", "n1-standard-8; rm", ""])
def test_what_is_no_machine_type_is_refused(text: str) -> None:
    """A machine type is words joined by hyphens."""
    with pytest.raises(CloudMLError, match="is no machine type"):
        checked_machine(Machine(text))
