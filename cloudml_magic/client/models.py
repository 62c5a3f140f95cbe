"""What can be asked of a platform about models and endpoints, in our records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cloudml_magic.client.calls import Caller
from cloudml_magic.client.long_operations import LongOperations, OnStage
from cloudml_magic.dialects.aiplatform_v1 import endpoints, models, operations
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Answer, DeploymentSpec, Endpoint, ModelVersion, VersionSpec


class Models(LongOperations):
    """The models and endpoints of one place."""

    lets_versions_go = True
    """Whether a version can be taken off its endpoint and still be there."""

    def __init__(self, caller: Caller, project: str, region: str) -> None:
        super().__init__(caller, operations)
        self._place = (project, region)

    # --- models ---

    def models(self, name: str | None = None) -> Iterator[ModelVersion]:
        """Every model by its default version; those called `name` if it is given."""
        yield from self._pages(lambda token: models.list_models(*self._place, name=name, page_token=token),
                               models.read_models)  # fmt: skip

    def versions(self, model_resource: str) -> list[ModelVersion]:
        """The versions of a model, oldest first."""
        found = self._pages(lambda token: models.list_versions(model_resource, token), models.read_models)
        return sorted(found, key=lambda version: int(version.version) if version.version.isdigit() else 0)

    def upload(self, spec: VersionSpec) -> ModelVersion:
        """Makes a model, or a version of one; after a lost answer the version is looked for before it is made again."""
        started = self._submit(models.upload_model(spec, *self._place), lambda: self._uploaded(spec))
        if isinstance(started, ModelVersion):
            return started
        uploaded = models.read_uploaded(self.wait(started).response)
        return models.read_model(self._caller.perform(models.get_model(uploaded)))

    def delete_version(self, version: ModelVersion) -> None:
        """Removes one version of several."""
        self._finish(models.delete_version(version.resource_name))

    def delete_model(self, model_resource: str) -> None:
        """Removes a model with all its versions."""
        self._finish(models.delete_model(model_resource))

    def merge_aliases(self, version: ModelVersion, aliases: tuple[str, ...]) -> None:
        """Gives a version these aliases."""
        self._caller.perform(models.merge_aliases(version.resource_name, aliases))

    # --- endpoints ---

    def endpoints(self, name: str | None = None) -> Iterator[Endpoint]:
        """Every endpoint; those called `name` if it is given."""
        yield from self._pages(lambda token: endpoints.list_endpoints(*self._place, name=name, page_token=token),
                               endpoints.read_endpoints)  # fmt: skip

    def endpoint(self, resource_name: str) -> Endpoint:
        """How an endpoint stands now."""
        return endpoints.read_endpoint(self._caller.perform(endpoints.get_endpoint(resource_name)))

    def create_endpoint(self, name: str, labels: Mapping[str, str]) -> Endpoint:
        """Makes an endpoint; after a lost answer it is looked for by its name."""
        call = endpoints.create_endpoint(name, *self._place, labels)
        started = self._submit(call, lambda: next(self.endpoints(name), None))
        return started if isinstance(started, Endpoint) else self.endpoint(str(self.wait(started).response["name"]))

    def delete_endpoint(self, resource_name: str) -> None:
        """Removes an endpoint that holds nothing."""
        self._finish(endpoints.delete_endpoint(resource_name))

    def deploy(self, endpoint: Endpoint, spec: DeploymentSpec, on_stage: OnStage) -> Endpoint:
        """Deploys a version and waits until it answers; an interrupt cancels it, and the endpoint stays as it was."""
        name = endpoint.resource_name
        started = self._submit(endpoints.deploy_model(name, spec), lambda: self._holding(name, spec.id))
        if isinstance(started, Endpoint):
            return started
        self.wait(started, on_stage, cancel_on_interrupt=True)
        return self.endpoint(name)

    def undeploy(self, endpoint: Endpoint, deployed_id: str, traffic: Mapping[str, int]) -> Endpoint:
        """Takes a version away once its requests are answered."""
        self._finish(endpoints.undeploy_model(endpoint.resource_name, deployed_id, traffic))
        return self.endpoint(endpoint.resource_name)

    def split_traffic(self, endpoint: Endpoint, traffic: Mapping[str, int]) -> Endpoint:
        """Gives each deployed version its share."""
        return endpoints.read_endpoint(self._caller.perform(endpoints.split_traffic(endpoint.resource_name, traffic)))

    # --- predictions ---

    def predict(self, endpoint: Endpoint, instances: Sequence[Any], deployed_id: str | None = None) -> Answer:
        """Asks by the default signature, in JSON."""
        body, _ = self._caller.perform_raw(endpoints.predict(endpoint.resource_name, instances, deployed_id))
        return endpoints.read_answer(json.loads(body))

    def raw_predict(
        self, endpoint: Endpoint, content: bytes, content_type: str, signature: str, deployed_id: str | None = None
    ) -> Answer:
        """Asks by a signature of the model, with a body that the serving process reads."""
        query = {"signature_name": signature} if content_type != "application/json" else {}
        call = endpoints.raw_predict(endpoint.resource_name, content, content_type, query, deployed_id)
        body, headers = self._caller.perform_raw(call)
        try:
            return endpoints.read_raw_answer(body, headers)
        except (ValueError, KeyError, TypeError) as problem:
            raise CloudMLError(
                "answer-unreadable",
                "The model's answer is no list of predictions.",
                why=body[:300].decode("utf-8", "replace"),
                next="Its serving image may speak another protocol; ask for it by `--image`, or read it with Python.",
            ) from problem

    def _holding(self, endpoint: str, deployed_id: str) -> Endpoint | None:
        found = self.endpoint(endpoint)
        return found if any(deployed.id == deployed_id for deployed in found.deployed) else None

    def _uploaded(self, spec: VersionSpec) -> ModelVersion | None:
        known = [spec.parent_model] if spec.parent_model else [model.model_resource for model in self.models(spec.name)]
        versions = [version for parent in known for version in self.versions(parent)]
        return next((version for version in versions if version.artifact_uri == spec.artifact_uri), None)


def json_body(signature: str, instances: Sequence[Any]) -> bytes:
    """A request to a signature by its name, in rows."""
    return json.dumps({"signature_name": signature, "instances": list(instances)}).encode()
