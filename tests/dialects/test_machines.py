"""Machines: short names, valid pairings, and advice for invalid ones."""

import json
from pathlib import Path

import googleapiclient
import pytest

from cloudml_magic.catalogue import catalogue
from cloudml_magic.dialects.machines import (
    asked_machine,
    check_for_training,
    checked_machine,
    machine_spec,
    machine_type,
    parse_accelerator,
)
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Accelerator, Machine

DOCUMENT = Path(googleapiclient.__file__).parent / "discovery_cache/documents/aiplatform.v1.json"


@pytest.mark.parametrize(
    ("text", "expected", "api_name", "machine"),
    [
        ("T4", Accelerator("T4", 1), "NVIDIA_TESLA_T4", "n1-standard-8"),
        ("t4:2", Accelerator("T4", 2), "NVIDIA_TESLA_T4", "n1-standard-8"),
        ("NVIDIA_TESLA_T4:4", Accelerator("T4", 4), "NVIDIA_TESLA_T4", "n1-standard-16"),
        ("V100:8", Accelerator("V100", 8), "NVIDIA_TESLA_V100", "n1-standard-16"),
        ("L4", Accelerator("L4", 1), "NVIDIA_L4", "g2-standard-8"),
        ("L4:4", Accelerator("L4", 4), "NVIDIA_L4", "g2-standard-48"),
        ("A100:16", Accelerator("A100", 16), "NVIDIA_TESLA_A100", "a2-megagpu-16g"),
        ("A100-80:2", Accelerator("A100-80", 2), "NVIDIA_A100_80GB", "a2-ultragpu-2g"),
        ("H100:4", Accelerator("H100", 4), "NVIDIA_H100_80GB", "a3-highgpu-4g"),
        ("H200:8", Accelerator("H200", 8), "NVIDIA_H200_141GB", "a3-ultragpu-8g"),
        ("B200:8", Accelerator("B200", 8), "NVIDIA_B200", "a4-highgpu-8g"),
        ("TPU-V3", Accelerator("TPU-V3", 8), "TPU_V3", "cloud-tpu"),
    ],
)
def test_a_short_name_finds_the_smallest_machine(text: str, expected: Accelerator, api_name: str, machine: str) -> None:
    """`--gpu T4:2` is enough: the machine that carries it follows."""
    accelerator = parse_accelerator(text)
    assert accelerator == expected
    assert machine_spec(checked_machine(Machine(None, accelerator))) == {
        "machineType": machine,
        "acceleratorType": api_name,
        "acceleratorCount": expected.count,
    }


def test_a_newer_tpu_is_told_by_machine_and_topology() -> None:
    """TPU v5e has no accelerator type of its own in a request."""
    assert machine_spec(asked_machine(None, "TPU-V5E:4")) == {
        "machineType": "ct5lp-hightpu-4t",
        "tpuTopology": "2x2",
    }


@pytest.mark.parametrize("kind", list(catalogue().accelerators.values()), ids=lambda kind: kind.name)
def test_every_accelerator_is_one_that_the_api_knows_on_a_machine_that_exists(kind) -> None:  # type: ignore[no-untyped-def]
    """The table agrees with Google's own list, and with itself: what it chooses, it accepts."""
    machine = json.loads(DOCUMENT.read_text())["schemas"]["GoogleCloudAiplatformV1MachineSpec"]
    assert kind.api_name in {*machine["properties"]["acceleratorType"]["enum"], None}
    assert kind.regions
    for count, name in kind.usual.items():
        chosen = Machine(name, Accelerator(kind.name, count))
        assert checked_machine(chosen) == chosen
        assert machine_type(Machine(None, Accelerator(kind.name, count))) == name


@pytest.mark.parametrize(
    ("machine", "kind", "counts"),
    [
        ("n1-standard-4", "T4", (1, 2, 4)),
        ("n1-highmem-16", "T4", (1, 2, 4)),
        ("n1-standard-32", "T4", (2, 4)),
        ("n1-standard-64", "P100", (4,)),
        ("n1-highcpu-96", "P4", (4,)),
        ("n1-standard-8", "V100", (1, 2, 4, 8)),
        ("n1-standard-16", "V100", (2, 4, 8)),
        ("n1-standard-32", "V100", (4, 8)),
        ("n1-standard-96", "V100", (8,)),
        ("g2-standard-32", "L4", (1,)),
        ("g2-standard-96", "L4", (8,)),
        ("a3-highgpu-4g", "H100", (4,)),
        ("g4-standard-192", "RTX-PRO-6000", (4,)),
        ("n2-standard-8", "T4", ()),
        ("a2-highgpu-1g", "T4", ()),
    ],
)
def test_a_machine_carries_what_google_says(machine: str, kind: str, counts: tuple[int, ...]) -> None:
    """Larger N1 machines ask for more GPUs; the others come with theirs."""
    table = catalogue()
    assert table.accelerators[kind].counts_on(table.machine_types[machine]) == counts


def test_a_machine_with_a_built_in_gpu_needs_no_option_for_it() -> None:
    """The request has to name it; the user need not."""
    assert asked_machine("a2-highgpu-2g", None) == Machine("a2-highgpu-2g", Accelerator("A100", 2))


@pytest.mark.parametrize("text", ["T4:3", "T4:0", "T4:x", "T4:-1", "T4:²", "H200", "TPU-V5E:2"])
def test_a_count_that_no_machine_has_is_refused_with_one_that_exists(text: str) -> None:
    """The advice can be typed as it stands."""
    with pytest.raises(CloudMLError) as caught:
        parse_accelerator(text)
    assert caught.value.reference == "bad-gpu-count"
    advice = caught.value.next.rpartition("--gpu ")[2].rstrip(".")
    assert parse_accelerator(advice)


def test_an_unknown_gpu_is_answered_with_the_known_ones() -> None:
    """The message lists what there is, the closest first."""
    with pytest.raises(CloudMLError) as caught:
        parse_accelerator("A10:2")
    assert str(caught.value) == (
        "There is no GPU or TPU called 'A10'.\n"
        "  Next: Did you mean A100? Choose one of T4, P4, P100, V100, L4, A100, A100-80, H100, H100-MEGA, H200, B200,"
        " GB200, RTX-PRO-6000, TPU-V2, TPU-V3, TPU-V5E, such as --gpu T4 or --gpu T4:2.\n[unknown-gpu]"
    )


def test_an_unknown_gpu_that_is_like_none_is_answered_too() -> None:
    """There may be no closest one."""
    with pytest.raises(CloudMLError, match=r"Next: Choose one of T4, P4,"):
        parse_accelerator("RTX")


@pytest.mark.parametrize(
    ("machine", "gpu", "why", "advice"),
    [
        (
            "n1-standard-8",
            "A100:2",
            "A100 is built into machines of its own.",
            "Leave --machine out, or say --machine a2-highgpu-2g.",
        ),
        (
            "n1-standard-32",
            "T4",
            "It carries 2 or 4 × T4.",
            "Say --gpu T4:2, or --machine n1-standard-8.",
        ),
        (
            "a2-highgpu-4g",
            "A100:2",
            "It always has 4 × A100.",
            "Leave --machine out, or say --machine a2-highgpu-2g.",
        ),
        (
            "n2-standard-8",
            "T4",
            "T4 is attached to n1 machines.",
            "Leave --machine out, or say --machine n1-standard-8.",
        ),
    ],
)
def test_an_impossible_pairing_is_explained_with_the_nearest_valid_ones(
    machine: str, gpu: str, why: str, advice: str
) -> None:
    """Why not, and what to say instead, before anything is sent."""
    with pytest.raises(CloudMLError) as caught:
        asked_machine(machine, gpu)
    kind, _, count = gpu.partition(":")
    assert str(caught.value) == (
        f"{machine} cannot carry {count or 1} × {kind}.\n  Why:  {why}\n  Next: {advice}\n[machine-without-gpu]"
    )


def test_a_machine_type_that_is_not_sold_is_answered_with_its_neighbours() -> None:
    """A slip in the size is the usual mistake."""
    with pytest.raises(CloudMLError) as caught:
        asked_machine("n1-standard-12", None)
    assert str(caught.value) == (
        "There is no machine type n1-standard-12.\n"
        "  Next: The nearest are n1-standard-8 and n1-standard-16.\n[unknown-machine]"
    )


def test_a_machine_of_a_family_that_the_table_does_not_know_is_left_to_the_platform() -> None:
    """It may be newer than this package."""
    assert asked_machine("c9-standard-8", None) == Machine("c9-standard-8")


def test_a_machine_that_may_serve_but_not_train_is_refused_for_training() -> None:
    """Vertex AI trains on four vCPUs at least."""
    machine = asked_machine("n1-standard-2", None)
    with pytest.raises(CloudMLError) as caught:
        check_for_training(machine)
    assert str(caught.value) == (
        "n1-standard-2 is too small for training.\n"
        "  Next: The smallest of its kind are n1-standard-4 and n1-highmem-2.\n[machine-too-small]"
    )


def test_a_tpu_host_has_to_be_told_which_tpu() -> None:
    """One type carries two generations."""
    with pytest.raises(CloudMLError) as caught:
        asked_machine("cloud-tpu", None)
    assert str(caught.value) == (
        "cloud-tpu does not say which accelerator it has.\n"
        "  Next: Add --gpu TPU-V2:8 or --gpu TPU-V3:8.\n[accelerator-not-named]"
    )


@pytest.mark.parametrize("text", ["big", "n1 standard", "N1-STANDARD-8", "n1-standard-8; rm", ""])
def test_what_is_no_machine_type_is_refused(text: str) -> None:
    """A machine type is words joined by hyphens."""
    with pytest.raises(CloudMLError, match="is no machine type"):
        checked_machine(Machine(text))
