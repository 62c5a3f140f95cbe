"""From cells and options to everything that would be sent; nothing is sent here, so a dry run is this and a display."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cloudml_magic.connection import Place
from cloudml_magic.dialects import aiplatform_v1
from cloudml_magic.dialects.call import Call
from cloudml_magic.history import ExecutedCell
from cloudml_magic.packaging import boot_command, slug
from cloudml_magic.pipeline.data import Upload, parse_data, prepare_data, prepare_shipped, prepare_weights
from cloudml_magic.pipeline.environment import asked_environment, container_environment
from cloudml_magic.pipeline.export_plan import ExportPlan, needed_names, plan_export
from cloudml_magic.pipeline.images.known import image_for
from cloudml_magic.pipeline.keras_weights import cached_weights
from cloudml_magic.pipeline.options import TrainOptions, checked_name, pairs, split_list
from cloudml_magic.pipeline.origin import origin_of_source
from cloudml_magic.pipeline.packing import Packed, pack
from cloudml_magic.pipeline.runtime import default_image, held_distributions, kernel_backend
from cloudml_magic.pipeline.submission import folder_of
from cloudml_magic.pipeline.terms import PriceOf, Terms, terms
from cloudml_magic.records import CapturedSource, JobSpec, TrainerPackage
from cloudml_magic.settings import Settings
from cloudml_magic.source import CaptureOptions, capture
from cloudml_magic.storage import Address


@dataclass(frozen=True, slots=True)
class Preparation:
    """A submission before it is sent."""

    place: Place
    source: CapturedSource
    module: str
    package: TrainerPackage
    spec: JobSpec
    uploads: tuple[Upload, ...]
    secrets: frozenset[str]
    export: ExportPlan
    terms: Terms

    def in_region(self, region: str) -> Preparation:
        """The same submission for another region."""
        return replace(self, place=replace(self.place, region=region))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user has to know before it is sent."""
        return (*self.terms.warnings, *self.source.warnings, *self.export.warnings)

    @property
    def call(self) -> Call:
        """The exact request."""
        return self.place.creation(self.spec)

    @property
    def readable_call(self) -> Call:
        """The request with the values of secret variables masked."""
        return aiplatform_v1.masked(self.call, self.secrets)


def prepare(
    cells: Sequence[ExecutedCell],
    trained: ExecutedCell,
    *,
    name: str,
    options: TrainOptions,
    namespace: Mapping[str, Any],
    folder: Path,
    settings: Settings,
    place: Place,
    price_of: PriceOf = lambda machine, regions: None,
) -> Preparation:
    """Captures, packs and addresses a training; raises one CloudMLError that names all that cannot travel."""
    name = checked_name(name)
    arguments = pairs("arg", options.arg)
    environment = asked_environment(options.env)
    agreed = terms(options, settings, place, price_of)
    place = replace(place, region=agreed.regions[0])
    backend = kernel_backend()
    wanted = CaptureOptions(
        arguments=arguments,
        requires=(*filter(None, (settings.value("requires"),)), *options.requires),
        ship=split_list(options.ship),
        data=parse_data(options.data, folder),
        only_marked=options.only_marked,
        allow_secrets=options.allow_secrets,
        environment=environment,
        runtime_holds=held_distributions(backend),
        needs=needed_names(options, namespace),
    )
    source = capture(cells, trained, namespace=namespace, folder=folder, options=wanted)
    packed = pack(name, source, tuple(environment.values()))
    luggage = _luggage(source, namespace, folder, place.bucket)
    plan = plan_export(options, source, namespace, backend, place.target)
    told = _told(name, options, agreed, plan, packed, luggage)
    spec = _spec(name, agreed, packed.package, place, arguments, container_environment(backend, told, environment))
    package = Upload(Address.parse(spec.package_uri), len(packed.package.content), content=packed.package.content)
    return Preparation(
        place=place,
        source=source,
        module=packed.module,
        package=packed.package,
        spec=spec,
        uploads=(package, *luggage.uploads),
        secrets=frozenset(environment),
        export=plan,
        terms=agreed,
    )


@dataclass(frozen=True, slots=True)
class _Luggage:
    """What travels beside the package: what the job is told of it, and what is sent."""

    told: Mapping[str, Any]
    uploads: tuple[Upload, ...]


def _luggage(source: CapturedSource, namespace: Mapping[str, Any], folder: Path, bucket: Address) -> _Luggage:
    data, data_uploads = prepare_data(source.data, folder, bucket)
    weights, weight_uploads = prepare_weights(cached_weights(source), bucket)
    shipped, shipped_uploads = prepare_shipped(source.shipped, namespace, bucket)
    told = {"shipped": shipped, "data": data, **({"weights": weights} if weights else {})}
    return _Luggage(told, (*data_uploads, *weight_uploads, *shipped_uploads))


def _told(
    name: str, options: TrainOptions, agreed: Terms, plan: ExportPlan, packed: Packed, luggage: _Luggage
) -> dict[str, Any]:
    """What the job's runtime is told; what is not asked for is not said."""
    return {
        "name": name,
        "model": options.model,
        "tensorboard": options.tensorboard,
        "export": {**plan.told, "source": packed.package.sha256},
        "warnings": [*agreed.warnings, *plan.warnings],
        "cells": packed.labels,
        **luggage.told,
        **({"stage": True} if options.stage else {}),
        **({"resume": True} if agreed.machine.restarts else {}),
    }


def _spec(
    name: str,
    agreed: Terms,
    package: TrainerPackage,
    place: Place,
    arguments: Mapping[str, str],
    environment: tuple[tuple[str, str], ...],
) -> JobSpec:
    """The submission, under a token of its own."""
    token = secrets.token_hex(8)
    usual = default_image(kernel_backend(), with_gpu=agreed.machine.accelerator is not None)
    return JobSpec(
        name=name,
        token=token,
        package_uri=str(place.bucket / "packages" / package.file_name),
        package_sha256=package.sha256,
        module=package.module,
        folder=str(folder_of(place.bucket, name, token)),
        image=agreed.image or image_for(usual, package.requirements, place),
        command=boot_command(),
        machine=agreed.machine,
        arguments=tuple(f"--{key}={value}" for key, value in arguments.items()),
        environment=environment,
        timeout_seconds=agreed.timeout_seconds,
        max_wait_seconds=agreed.max_wait_seconds,
        labels=(("cloudml-name", slug(name)),),
    )


def manifest(preparation: Preparation, notebook: str | None, cell: str, submitted: float) -> bytes:
    """What the job's folder remembers of its submission."""
    spec, price = preparation.spec, preparation.terms.price
    origin = origin_of_source(preparation.source, notebook, cell, spec.arguments)
    document = {
        "schema": 1,
        "name": spec.name,
        "token": spec.token,
        "notebook": notebook,
        "cell": cell,
        "cell_ids": dict(origin.cell_ids),
        "parameters": dict(origin.parameters),
        "submitted": submitted,
        "package": {"uri": spec.package_uri, "sha256": spec.package_sha256},
        "requirements": list(preparation.package.requirements),
        "arguments": list(spec.arguments),
        "data": [str(upload.address) for upload in preparation.uploads[1:]],
        "environment": sorted(preparation.secrets),
        "export": dict(preparation.export.told),
        "image": spec.image,
        "price": None if price is None else asdict(price),
    }
    return json.dumps(document, indent=1, ensure_ascii=True).encode()
