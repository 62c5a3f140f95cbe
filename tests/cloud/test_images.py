"""%ml_image in the cloud: repositories made once, an image built once for each list, and jobs that find it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from cloudml_magic import build_image, notebook, pipeline
from cloudml_magic.client import long_operations
from cloudml_magic.errors import CloudMLError
from cloudml_magic.history import ExecutedCell
from cloudml_magic.packaging import ImageRecipe
from cloudml_magic.pipeline import TrainOptions
from cloudml_magic.pipeline.images import building, registry
from cloudml_magic.pipeline.runtime import default_image
from cloudml_magic.pipeline.session import CURRENT, connection
from cloudml_magic.settings import Settings
from tests.cloud.conftest import Cloud
from tests.cloud.google import Google, RefusalError
from tests.shells import new_shell

SCIKIT = "scikit-learn==1.5.0"
BASE = default_image("tensorflow", with_gpu=False)
ADDRESS = f"us-central1-docker.pkg.dev/local/cloudml/trainer:{ImageRecipe.of(BASE, [SCIKIT]).digest}"
DONE = {"name": "operations/1", "done": True}


class Registry:
    """Repositories and tags of a project, and builds that end as they are told."""

    def __init__(self, google: Google) -> None:
        self.google = google
        self.repositories: dict[str, Mapping[str, Any]] = {}
        self.tags: set[str] = set()
        self.builds: list[Mapping[str, Any]] = []
        self.states = ["QUEUED", "WORKING", "SUCCESS"]
        where = "artifactregistry.projects.locations.repositories"
        google.answer("serviceusage.services.batchEnable", DONE)
        google.answer(f"{where}.get", self._get)
        google.answer(f"{where}.create", self._create)
        google.answer(f"{where}.packages.tags.get", self._tag)
        google.answer("artifactregistry.projects.locations.operations.get", DONE)
        google.answer("cloudbuild.projects.builds.create", self._build)
        google.answer("cloudbuild.projects.builds.get", lambda path, query, body: self._state())

    def asked(self, method: str) -> int:
        return sum(each.endswith(method) for each in self.google.methods())

    def _get(self, path: Mapping[str, str], query: Any, body: Any) -> Mapping[str, Any]:
        if path["repositoriesId"] not in self.repositories:
            raise RefusalError(404, "Requested entity was not found.", "NOT_FOUND")
        return self.repositories[path["repositoriesId"]]

    def _create(self, path: Any, query: Mapping[str, list[str]], body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.repositories[query["repositoryId"][0]] = body
        return {"name": "projects/local/locations/us-central1/operations/o1", "done": False}

    def _tag(self, path: Mapping[str, str], query: Any, body: Any) -> Mapping[str, Any]:
        if path["tagsId"] not in self.tags:
            raise RefusalError(404, "Requested entity was not found.", "NOT_FOUND")
        return {"name": path["tagsId"]}

    def _build(self, path: Any, query: Any, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.builds.append(body)
        return {"name": "operations/build/local/b1", "metadata": {"build": self._state()}}

    def _state(self) -> Mapping[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if state == "SUCCESS":
            self.tags.add(self.builds[-1]["images"][0].rpartition(":")[2])
        return {"id": "b1", "status": state, "logUrl": "https://console.cloud.google.com/cloud-build/builds/b1",
                **({"failureInfo": {"type": "USER_BUILD_STEP", "detail": "step 0 failed"}} if state == "FAILURE" else {})}  # fmt: skip


@pytest.fixture
def images(google_cloud: Cloud, home: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A project with the repositories that `setup` makes."""
    monkeypatch.setattr(building, "_POLL_SECONDS", 0.001)
    monkeypatch.setattr(long_operations, "_POLL_SECONDS", (0.001, 0.001))
    found = Registry(google_cloud.google)
    pipeline.set_up_image_registry()
    yield found


def test_setup_makes_two_repositories_once(images: Registry) -> None:
    """One for what is built, one that fetches from Docker Hub; a second time there is nothing to do."""
    assert images.repositories["cloudml"]["format"] == "DOCKER"
    mirror = images.repositories["cloudml-docker-hub"]
    assert (mirror["mode"], mirror["remoteRepositoryConfig"]) == (
        "REMOTE_REPOSITORY", {"dockerRepository": {"publicRepository": "DOCKER_HUB"}},
    )  # fmt: skip
    before = images.asked("repositories.create")
    said: list[str] = []
    pipeline.set_up_image_registry(on_stage=said.append)
    assert images.asked("repositories.create") == before == 2
    assert said == ["enabling Artifact Registry and Cloud Build"]


def test_a_repository_that_is_not_made_in_time_is_said(
    google_cloud: Cloud, home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever."""
    monkeypatch.setattr(registry, "_LONGEST_SECONDS", 0.1)
    google_cloud.google.answer("serviceusage.services.batchEnable", {"name": "operations/never"})
    google_cloud.google.answer("serviceusage.operations.get", {"name": "operations/never"})
    with pytest.raises(CloudMLError) as caught:
        pipeline.set_up_image_registry()
    assert (caught.value.reference, caught.value.why) == ("not-set-up", "It takes longer than it should.")


def test_an_image_is_built_once_for_a_list(images: Registry) -> None:
    """From a folder in the bucket, under a name that follows from base and list; its stages are told."""
    said: list[str] = []
    image = build_image([SCIKIT], on_stage=said.append)
    assert image.address == ADDRESS
    assert said == ["sending the list", "waiting", "building", "built"]
    (build,) = images.builds
    source = build["source"]["storageSource"]
    assert source == {"bucket": "cloudml-local", "object": f"images/{image.digest}.tar.gz"}
    assert build["images"] == [ADDRESS]
    context = connection().storage.read(connection().place.bucket / "images" / f"{image.digest}.tar.gz")
    assert context == ImageRecipe.of(BASE, [SCIKIT]).context
    assert build_image([f" {SCIKIT}", SCIKIT]) == image
    assert len(images.builds) == 1
    assert pipeline.built_images() == [image]


def prepared(code: str, **options: Any) -> str:
    """The image that a job of this code would get."""
    return pipeline.prepare_here(ExecutedCell(code), "job", TrainOptions.of(options)).spec.image


def test_a_job_that_requires_exactly_this_uses_the_image(images: Registry) -> None:
    """By itself, also after a restart; another list, another base and `--image` do not."""
    assert prepared("print(1)", requires=(SCIKIT,)) == BASE
    build_image([SCIKIT])
    assert prepared("print(1)", requires=(SCIKIT,)) == ADDRESS
    assert prepared("print(1)") == BASE
    assert prepared("print(1)", requires=(SCIKIT, "pandas==2.2.3")) == BASE
    assert prepared("print(1)", requires=(SCIKIT,), gpu="T4") == f"{BASE}-gpu"
    assert prepared("print(1)", requires=(SCIKIT,), image="me/mine:1") == "me/mine:1"
    assert prepared("print(1)", requires=(SCIKIT,), target="local") == BASE


def test_a_build_that_fails_says_why_and_where_its_log_is(images: Registry) -> None:
    """And the image is not remembered."""
    images.states = ["WORKING", "FAILURE"]
    with pytest.raises(CloudMLError) as caught:
        build_image(["no-such-package==1"])
    assert str(caught.value) == (
        "Cloud Build did not build the image.\n  Why:  step 0 failed\n"
        "  Next: Its log says more: https://console.cloud.google.com/cloud-build/builds/b1"
        " A requirement that pip does not find is the most common cause.\n[image-not-built]"
    )
    assert pipeline.built_images() == []


def test_without_repositories_the_way_to_them_is_said(images: Registry) -> None:
    """Before anything is sent."""
    images.repositories.clear()
    with pytest.raises(CloudMLError) as caught:
        build_image([SCIKIT])
    assert str(caught.value) == (
        "The project local has no repository cloudml for images in us-central1.\n"
        "  Why:  Vertex AI pulls images from Artifact Registry.\n"
        "  Next: `%ml_image setup` makes it, once; an empty one costs nothing.\n[no-repository]"
    )
    assert images.builds == []


def test_a_build_acts_as_the_account_that_is_set(images: Registry) -> None:
    """As jobs do."""
    CURRENT.set({"service_account": "builder@local.iam.gserviceaccount.com"})
    build_image(["keras-nlp==1"])
    assert images.builds[0]["serviceAccount"] == (
        "projects/local/serviceAccounts/builder@local.iam.gserviceaccount.com"
    )


@pytest.mark.parametrize("requirement", ["-r other.txt", "a==1\nRUN rm -rf /", "--index-url=http://x", "a \\"])
def test_what_is_no_requirement_is_refused(images: Registry, requirement: str) -> None:
    """Nothing that pip or Docker would read as something else."""
    with pytest.raises(CloudMLError, match="is no requirement"):
        build_image([requirement])
    with pytest.raises(CloudMLError, match="is no image"):
        build_image([SCIKIT], base="x\nRUN rm -rf /")
    assert images.builds == []


def test_a_damaged_list_of_images_costs_a_look(images: Registry) -> None:
    """The registry knows what there is; nothing is built again."""
    from cloudml_magic.places import built_images_file

    image = build_image([SCIKIT])
    built_images_file().write_text("{")
    assert pipeline.built_images() == []
    assert build_image([SCIKIT]) == image
    assert len(images.builds) == 1


def test_the_local_platform_has_nothing_to_build(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, with the way to where there is."""
    monkeypatch.setattr(building, "CURRENT", Settings())
    for ask in (lambda: build_image([SCIKIT]), pipeline.set_up_image_registry):
        with pytest.raises(CloudMLError) as caught:
            ask()
        assert str(caught.value) == (
            "The local platform has no images to build.\n"
            "  Why:  It runs no containers: this Python runs its jobs, and what they require is installed once and"
            " kept.\n  Next: In the cloud, `%ml_init --target cloud`, the same line builds one.\n[nothing-to-build]"
        )


@pytest.fixture
def shell(images: Registry) -> Iterator[InteractiveShell]:
    shell = new_shell()
    notebook.register(shell)
    yield shell
    notebook.unregister(shell)


def test_the_magic_builds_lists_and_says_what_is_there(
    shell: InteractiveShell, images: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stages once each, the address, and a table of what was built."""
    images.states = ["QUEUED", "WORKING", "WORKING", "SUCCESS"]
    image = shell.run_line_magic("ml_image", f"build {SCIKIT}")
    assert capsys.readouterr().out == (
        f"sending the list\nwaiting\nbuilding\nbuilt\n{ADDRESS} holds {SCIKIT}.\n"
        "Jobs in the cloud that require exactly this use it by themselves.\n"
    )
    shell.run_line_magic("ml_image", "")
    assert ADDRESS in capsys.readouterr().out
    assert pipeline.built_images() == [image]


def test_the_cell_magic_builds_what_its_cell_would_require(shell: InteractiveShell, images: Registry) -> None:
    """Nothing of the cell runs; a job of the same cell finds the image."""
    cell = "from sklearn.datasets import load_digits\nx = load_digits().data\nran = True\n"
    image = shell.run_cell_magic("ml_image", "build", cell)
    assert [requirement.partition("==")[0] for requirement in image.requirements] == ["scikit-learn"]
    assert "ran" not in shell.user_ns
    assert prepared(cell) == image.address


def test_a_cell_that_requires_nothing_has_nothing_to_build(shell: InteractiveShell, images: Registry) -> None:
    """The public image holds it."""
    with pytest.raises(CloudMLError, match="There is nothing to build: no requirements"):
        shell.run_cell_magic("ml_image", "build", "print(1)\n")
