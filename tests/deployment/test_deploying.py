"""Deployments that meet each other, that end too early, and that are asked for again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from cloudml_magic.dialects.aiplatform_v1 import endpoints
from cloudml_magic.dialects.ml_v1 import models as old
from cloudml_magic.errors import CloudMLError
from cloudml_magic.notebook.deploy_card import DeployCard
from cloudml_magic.pipeline import Deployment, deploy, undeploy
from cloudml_magic.pipeline.deployment.lookup import endpoint_of
from cloudml_magic.records import DeployedVersion, Endpoint, ModelVersion, Target

from .conftest import Platform, told


def shares(platform: Platform, name: str) -> dict[str, int]:
    """What of a model answers, and its part of the traffic."""
    endpoint = endpoint_of(name, platform.connection)
    return {held.version: held.traffic for held in endpoint.deployed} if endpoint else {}


def replace_model(platform: Platform, name: str) -> None:
    """Exports another model to the same folder."""
    manifest = platform.path(name) / "cloudml.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"m"', b'"n"'))
    platform.certify(name)


def damage_once(platform: Platform, name: str) -> Callable[[str], None]:
    """Takes the model's file away when its version is made and it is about to start."""

    def damage(stage: str) -> None:
        if stage == "starting":
            (platform.path(name) / "saved_model.pb").unlink(missing_ok=True)

    return damage


def test_a_folder_that_is_deployed_by_many_at_once_is_deployed_once(platform: Platform) -> None:
    """One makes model, version and endpoint; the others find them."""
    address = platform.model("models/reg/1")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: deploy(address, as_="dup"), range(4)))
    assert platform.titles() == ["dup/1"]
    assert sorted(one.was_there for one in made) == [False, True, True, True]
    assert len({one.endpoint.resource_name for one in made}) == 1
    assert shares(platform, "dup") == {"1": 100}


def test_models_that_are_deployed_at_once_take_turns(platform: Platform) -> None:
    """Each takes over from the one before it; the last answers."""
    addresses = [platform.model(f"models/reg/{number}") for number in range(3)]
    for number in range(3):
        replace_model(platform, f"models/reg/{number}")
    stages: list[str] = []
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda address: deploy(address, as_="live", on_stage=stages.append), addresses))
    assert platform.titles() == ["live/1", "live/2", "live/3"]
    assert shares(platform, "live") == {"3": 100}
    assert "waiting for another deployment of live" in stages


def test_a_deployment_that_fails_leaves_nothing(platform: Platform) -> None:
    """Neither the model, the version nor the endpoint that it made; what was there is as it was."""
    good, bad = platform.model("models/reg/good"), platform.model("models/reg/bad")

    replace_model(platform, "models/reg/bad")
    for name, before in (("new", []), ("old", ["old/1"])):
        if before:
            deploy(good, as_="old/candidate")
            platform.path("models/reg/bad/saved_model.pb").write_bytes(
                platform.path("models/reg/good/saved_model.pb").read_bytes()
            )
        with pytest.raises(CloudMLError):
            deploy(bad, as_=f"{name}/candidate", on_stage=damage_once(platform, "models/reg/bad"))
        assert platform.titles() == before
        assert shares(platform, name) == ({"1": 100} if before else {})
    assert endpoint_of("new", platform.connection) is None
    (version,) = platform.connection.client.models.models("old")
    assert "candidate" in version.aliases


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A run in the background of a shell would ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("when", [1, 2, 3])
def test_an_interrupt_leaves_all_as_it_was(platform: Platform, interruptible: None, when: int) -> None:
    """Before the version is made, before and while it starts: none more, no name moved, the one that answered goes on."""
    deploy(platform.model("models/reg/1"), as_="live/best")
    second = platform.model("models/reg/2")
    replace_model(platform, "models/reg/2")
    stages: list[str] = []

    def interrupt(stage: str) -> None:
        stages.append(stage)
        if len(stages) == when:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        deploy(second, as_="live/best", on_stage=interrupt)
    assert stages[:2] == ["making version 2", "starting"][:when]
    assert platform.titles() == ["live/1"]
    assert shares(platform, "live") == {"1": 100}
    (version,) = platform.connection.client.models.models("live")
    assert "best" in version.aliases


@pytest.mark.parametrize(
    ("name", "what", "why"),
    [
        ("my model", "A model cannot be called 'my model'.", "It contains ' '."),
        ("../x", "A model cannot be called '..'.", "In a path it would be another folder."),
        ("m/Best", "A version cannot be called 'Best'.", ""),
    ],
)
def test_a_name_is_refused_before_anything_happens(platform: Platform, name: str, what: str, why: str) -> None:
    """Also before a job is waited for: here the model does not even exist."""
    with pytest.raises(CloudMLError) as refused:
        deploy("no such model", as_=name)
    assert told(refused.value)[:2] == (what, why)
    assert not platform.places.address_file.exists()


def test_a_version_is_deployed_again_by_its_name(platform: Platform) -> None:
    """MODEL/VERSION is a way back: the version takes over again."""
    deploy(platform.model("models/reg/1"), as_="live")
    second = platform.model("models/reg/2")
    replace_model(platform, "models/reg/2")
    deploy(second, as_="live")
    back = deploy("live/1")
    assert (back.version.title, back.was_there) == ("live/1", False)
    assert shares(platform, "live") == {"1": 100}
    assert platform.titles() == ["live/1", "live/2"]
    assert deploy("live/1").was_there


def test_what_was_exported_anew_to_the_same_address_is_another_version(platform: Platform) -> None:
    """The folder holds another model now; the same again is known."""
    address = platform.model("exported/reg")
    first = deploy(address)
    replace_model(platform, "exported/reg")
    second = deploy(address)
    assert [first.version.title, second.version.title] == ["reg/1", "reg/2"]
    assert not second.was_there
    assert deploy(address).was_there
    assert shares(platform, "reg") == {"2": 100}


def test_a_share_of_the_only_version_is_said_not_to_apply(platform: Platform) -> None:
    """It gets all, whatever was asked for."""
    address = platform.model("models/reg/1")
    deployment = deploy(address, as_="live", traffic=40)
    assert deployment.deployed.traffic == 100
    assert deployment.notes == ("--traffic 40 does not apply: it is the only version that answers, so it gets all.",)
    assert deploy(address, as_="live", traffic=0).notes[0].startswith("--traffic 0 does not apply")
    assert deploy(address, as_="live", traffic=100).notes == ()
    undeploy("live")


def test_no_replicas_are_refused() -> None:
    """None are not one."""
    with pytest.raises(CloudMLError) as refused:
        deploy("model", max_replicas=0)
    assert told(refused.value)[0] == "1 to 0 replicas cannot be."


@pytest.mark.slow
def test_an_export_is_a_stage_of_a_deployment(platform: Platform) -> None:
    """The first one: it may take longer than all the others."""
    import keras

    class ToldError(Exception):
        pass

    def tell(stage: str) -> None:
        raise ToldError(stage)

    with pytest.raises(ToldError, match="exporting"):
        deploy(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), as_="reg", on_stage=tell)


def test_the_card_says_what_did_not_apply(capsys: pytest.CaptureFixture[str]) -> None:
    """Beneath the version's line, before the line that says how to ask it."""
    held = DeployedVersion("1", "m", "1", 100, 0.0, message="onnxruntime: It agrees.")
    version = ModelVersion("m@1", "live", "1", "gs://b/m", "image", 0.0)
    DeployCard(None, "live").end(
        Deployment(version, Endpoint("e", "live", 0.0, (held,)), held, 3.0, notes=("--traffic 40 does not apply.",)),
        Target.LOCAL,
    )
    assert capsys.readouterr().out.splitlines() == [
        "live/1 · deployed · this machine · 100 % of the traffic · in 3 s",
        "  onnxruntime: It agrees.",
        "  --traffic 40 does not apply.",
        "  Ask it: %%ml_predict live",
    ]


@pytest.mark.parametrize(
    "endpoint",
    [
        endpoints.read_endpoint(
            {
                "name": "projects/p/locations/r/endpoints/1",
                "displayName": "live",
                "trafficSplit": {"1": 100},
                "deployedModels": [
                    {
                        "id": "1",
                        "model": "projects/p/locations/r/models/1@1",
                        "dedicatedResources": {
                            "machineSpec": {
                                "machineType": "n1-standard-4",
                                "acceleratorType": "NVIDIA_TESLA_T4",
                                "acceleratorCount": 1,
                            }
                        },
                    }
                ],
            }
        ),
        old.read_endpoint(
            {"name": "projects/p/models/live", "description": "live"},
            [
                {
                    "name": "projects/p/models/live/versions/v1",
                    "isDefault": True,
                    "machineType": "n1-standard-4",
                    "acceleratorConfig": {"type": "NVIDIA_TESLA_T4", "count": "1"},
                }
            ],
        ),
    ],
    ids=["Vertex AI", "the old API"],
)
def test_the_card_names_the_machine_in_the_cloud(endpoint: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    """Whichever API says it."""
    version = ModelVersion("m@1", "live", "1", "gs://b/m", "image", 0.0)
    DeployCard(None, "live").end(Deployment(version, endpoint, endpoint.deployed[0], 3.0), Target.CLOUD)
    assert capsys.readouterr().out.splitlines()[0] == (
        "live/1 · deployed · 1 × T4 · n1-standard-4 · 100 % of the traffic · in 3 s"
    )
