"""Models of the API before Vertex AI, in the records of today: a model is the endpoint at which its versions answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cloudml_magic.client.calls import Caller
from cloudml_magic.client.long_operations import LongOperations, OnStage
from cloudml_magic.dialects.ml_v1 import models, operations
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Answer, DeployedVersion, DeploymentSpec, Endpoint, Machine, ModelVersion, VersionSpec

_ALL = 100


class OldModels(LongOperations):
    """The models of one project."""

    lets_versions_go = False
    """A version answers as long as it exists."""

    def __init__(self, caller: Caller, project: str, region: str) -> None:
        super().__init__(caller, operations)
        self._project = project
        self._region = region

    def models(self, name: str | None = None) -> Iterator[ModelVersion]:
        """Every model by its default version; those called `name` if it is given."""
        found = self._pages(lambda token: models.list_models(self._project, token), models.read_models)
        yield from (model for model in found if name in (None, model.name))

    def versions(self, model_resource: str) -> list[ModelVersion]:
        """The versions of a model, oldest first."""
        called = models.read_model_name(self._caller.perform(models.get_model(model_resource)))
        found = self._pages(
            lambda token: models.list_versions(model_resource, token), lambda body: models.read_versions(body, called)
        )
        return sorted(found, key=lambda version: (version.created, len(version.version), version.version))

    def upload(self, spec: VersionSpec) -> ModelVersion:
        """Makes a model where there is none, and a version of it, which answers from then on.

        The old API takes the model's own folder, numbered or not.
        """
        model = spec.parent_model or self._model(spec.name, spec.labels)
        before = self.versions(model)
        number = 1 + max((int(version.version) for version in before if version.version.isdigit()), default=0)
        call = models.create_version(model, number, spec, Machine())

        def find() -> ModelVersion | None:
            return next((version for version in self.versions(model) if version.version == str(number)), None)

        started = self._submit(call, find)
        if isinstance(started, ModelVersion):
            return started
        self.wait(started, cancel_on_interrupt=True)
        made = find()
        assert made is not None, "a version whose making has ended is there"
        return made

    def delete_version(self, version: ModelVersion) -> None:
        """Removes a version; the default one only if it is the last."""
        self._finish(models.delete_version(version.resource_name))

    def delete_model(self, model_resource: str) -> None:
        """Removes a model and its versions, the default one last."""
        for version in sorted(self.versions(model_resource), key=lambda each: "default" in each.aliases):
            self.delete_version(version)
        self._finish(models.delete_model(model_resource))

    def merge_aliases(self, version: ModelVersion, aliases: tuple[str, ...]) -> None:
        """Makes a version the default one; other names there are none."""
        if aliases != ("default",):
            raise CloudMLError(
                "old-api-without-names",
                "Versions have numbers and no names in the old API.",
                next="Leave the name out, or say `%ml_init --dialect aiplatform-v1`.",
            )
        self._caller.perform(models.set_default(version.model_resource, version.version))

    # --- endpoints: the models themselves ---

    def endpoints(self, name: str | None = None) -> Iterator[Endpoint]:
        """Every model as an endpoint; those called `name` if it is given."""
        for model in list(self.models(name)):
            yield self.endpoint(model.model_resource)

    def endpoint(self, resource_name: str) -> Endpoint:
        """A model with the versions that answer."""
        model = self._caller.perform(models.get_model(resource_name))
        pages = self._pages(
            lambda token: models.list_versions(resource_name, token),
            lambda body: (body.get("versions", []), body.get("nextPageToken") or None),
        )
        return models.read_endpoint(model, list(pages))

    def create_endpoint(self, name: str, labels: Mapping[str, str]) -> Endpoint:
        """The model, which is there since a version of it is."""
        return self.endpoint(models.model_name(name, self._project))

    def delete_endpoint(self, resource_name: str) -> None:
        """Goes with the model."""

    def deploy(self, endpoint: Endpoint, spec: DeploymentSpec, on_stage: OnStage) -> Endpoint:
        """Gives a version, which answers already, all of the traffic or none."""
        named = self.endpoint(endpoint.resource_name)
        held = next(each for each in named.deployed if each.version == spec.version.version)
        shares = {held.id if id == spec.id else id: share for id, share in spec.traffic.items()}
        after = self.split_traffic(named, shares)
        # The caller knows the version by the id that it chose.
        renamed = tuple(replace(each, id=spec.id) if each.id == held.id else each for each in after.deployed)
        return replace(after, deployed=renamed)

    def undeploy(self, endpoint: Endpoint, deployed_id: str, traffic: Mapping[str, int]) -> Endpoint:
        """There is no such thing."""
        raise CloudMLError(
            "old-api-always-deployed",
            "In the old API a version answers as long as it exists.",
            next=f"`%ml_delete {endpoint.name}/VERSION` deletes one, `%ml_delete {endpoint.name}` the model.",
        )

    def split_traffic(self, endpoint: Endpoint, traffic: Mapping[str, int]) -> Endpoint:
        """All of it goes to one version: the default one."""
        chosen = [id for id, share in traffic.items() if share == _ALL]
        if len(chosen) != 1:
            raise CloudMLError(
                "old-api-traffic",
                "In the old API one version gets all of the traffic.",
                next="Leave --traffic out, or say 0 or 100; `%ml_init --dialect aiplatform-v1` splits it.",
            )
        held = next(each for each in endpoint.deployed if each.id == chosen[0])
        if held.traffic != _ALL:
            self._caller.perform(models.set_default(endpoint.resource_name, held.version))
        return self.endpoint(endpoint.resource_name)

    # --- predictions ---

    def predict(self, endpoint: Endpoint, instances: Sequence[Any], deployed_id: str | None = None) -> Answer:
        """Asks by the default signature."""
        return self._asked(endpoint, instances, None, deployed_id)

    def raw_predict(
        self, endpoint: Endpoint, content: bytes, content_type: str, signature: str, deployed_id: str | None = None
    ) -> Answer:
        """Asks by a signature of the model."""
        return self._asked(endpoint, json.loads(content)["instances"], signature, deployed_id)

    def _asked(
        self, endpoint: Endpoint, instances: Sequence[Any], signature: str | None, deployed_id: str | None
    ) -> Answer:
        answers = _answering(endpoint, deployed_id)
        name = endpoint.resource_name
        if deployed_id and answers:
            name = models.version_name(f"{name}@{answers.version}")
        body, _ = self._caller.perform_raw(models.predict(name, instances, signature))
        return models.read_answer(body, answers, endpoint.resource_name)

    def _model(self, name: str, labels: Mapping[str, str]) -> str:
        call = models.create_model(name, self._project, self._region, labels)
        try:
            self._caller.perform(call)
        except CloudMLError as error:
            # It is there without a version, or the answer to its making was lost.
            if error.reference != "already-exists":
                raise
        return models.model_name(name, self._project)


def _answering(endpoint: Endpoint, deployed_id: str | None) -> DeployedVersion | None:
    for held in endpoint.deployed:
        if held.id == deployed_id or (deployed_id is None and held.traffic == _ALL):
            return held
    return None
