"""From cells and options to everything that would be sent; nothing is sent here, so a dry run is this and a display."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cloudml_magic.connection import Place
from cloudml_magic.dialects import aiplatform_v1
from cloudml_magic.dialects.call import Call
from cloudml_magic.errors import CloudMLError
from cloudml_magic.history import ExecutedCell
from cloudml_magic.packaging import boot_command, build_trainer, slug
from cloudml_magic.pipeline.data import Upload, parse_data, prepare_data, prepare_shipped, prepare_weights
from cloudml_magic.pipeline.export_plan import ExportPlan, needed_names, plan_export
from cloudml_magic.pipeline.images.known import image_for
from cloudml_magic.pipeline.keras_weights import cached_weights
from cloudml_magic.pipeline.options import TrainOptions, checked_name, pairs, split_list
from cloudml_magic.pipeline.origin import origin_of_source
from cloudml_magic.pipeline.runtime import default_image, held_distributions, kernel_backend
from cloudml_magic.pipeline.submission import folder_of
from cloudml_magic.pipeline.terms import PriceOf, Terms, terms
from cloudml_magic.records import CapturedSource, JobSpec, TrainerPackage
from cloudml_magic.settings import Settings
from cloudml_magic.source import CaptureOptions, capture, masked, render_module


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
    environment = _environment(options.env)
    agreed = terms(options, settings, place, price_of)
    place = replace(place, region=agreed.regions[0])
    backend = kernel_backend()
    data_files = parse_data(options.data, folder)
    source = capture(
        cells,
        trained,
        namespace=namespace,
        folder=folder,
        options=CaptureOptions(
            arguments=arguments,
            requires=(*filter(None, (settings.value("requires"),)), *options.requires),
            ship=split_list(options.ship),
            data=data_files,
            only_marked=options.only_marked,
            allow_secrets=options.allow_secrets,
            environment=environment,
            runtime_holds=held_distributions(backend),
            needs=needed_names(options, namespace),
        ),
    )
    packed = pack(name, source, tuple(environment.values()))
    package = packed.package
    data, data_uploads = prepare_data(source.data, folder, place.bucket)
    weights, weight_uploads = prepare_weights(cached_weights(source), place.bucket)
    shipped, shipped_uploads = prepare_shipped(source.shipped, namespace, place.bucket)
    package_address = place.bucket / "packages" / package.file_name
    token = secrets.token_hex(8)
    plan = plan_export(options, source, namespace, backend, place.target)
    told = {
        "name": name,
        "model": options.model,
        "tensorboard": options.tensorboard,
        "export": {**plan.told, "source": package.sha256},
        "warnings": [*agreed.warnings, *plan.warnings],
        "shipped": shipped,
        "data": data,
        "cells": packed.labels,
    }
    if options.stage:
        told["stage"] = True
    if weights:
        told["weights"] = weights
    if agreed.machine.restarts:
        told["resume"] = True
    spec = JobSpec(
        name=name,
        token=token,
        package_uri=str(package_address),
        package_sha256=package.sha256,
        module=package.module,
        folder=str(folder_of(place.bucket, name, token)),
        image=agreed.image
        or image_for(
            default_image(backend, with_gpu=agreed.machine.accelerator is not None), package.requirements, place
        ),
        command=boot_command(),
        machine=agreed.machine,
        arguments=tuple(f"--{key}={value}" for key, value in arguments.items()),
        environment=_container_environment(backend, told, environment),
        timeout_seconds=agreed.timeout_seconds,
        max_wait_seconds=agreed.max_wait_seconds,
        labels=(("cloudml-name", slug(name)),),
    )
    uploads = (
        Upload(package_address, len(package.content), content=package.content),
        *data_uploads,
        *weight_uploads,
        *shipped_uploads,
    )
    return Preparation(place, source, packed.module, package, spec, uploads, frozenset(environment), plan, agreed)


# No traceback quotes the options of a magic, and `--env NAME=VALUE` may stand there.
_OPTIONS = re.compile(r"(?<=^%%ml_train)[^\n]*")


@dataclass(frozen=True, slots=True)
class Packed:
    """A package, the text of its module, and what its cells are called in this notebook."""

    package: TrainerPackage
    module: str
    labels: Mapping[str, str]


def pack(name: str, source: CapturedSource, handed_over: Sequence[str] = ()) -> Packed:
    """Packs a source; cells are named by their place, so that running them again makes the same package."""
    module, entries = render_module(source)
    places: dict[str, str] = {}
    texts: dict[str, str] = {}
    for statement in source.statements:
        if statement.first_line:
            place = places.setdefault(statement.cell.label, f"cell {len(places) + 1}")
            # Whole cells go along for tracebacks to quote, with lines that do not travel: no key must hide there.
            texts[place] = masked(_OPTIONS.sub("", statement.cell.text), handed_over)
    placed = tuple(replace(entry, cell=places[entry.cell]) for entry in entries)
    package = build_trainer(name, module, placed, texts, source_files=source.files, requirements=source.requirements)
    return Packed(package, module, {place: label for label, place in places.items()})


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
        "image": spec.image,
        "price": None if price is None else asdict(price),
    }
    return json.dumps(document, indent=1, ensure_ascii=True).encode()


def _environment(names: tuple[str, ...]) -> dict[str, str]:
    """`--env NAME` takes the kernel's value, `--env NAME=VALUE` another."""
    found = {}
    for text in names:
        for entry in (text,) if "=" in text else split_list((text,)):
            name, separator, value = entry.partition("=")
            if not name.isidentifier() or name.startswith(("AIP_", "CLOUDML_", "CLOUD_ML_")):
                raise CloudMLError(
                    "bad-option",
                    f"--env {name!r} is no name for a variable of yours.",
                    next="Use letters, digits and _; AIP_…, CLOUD_ML_… and CLOUDML_… belong to the platform.",
                )
            if not separator and name not in os.environ:
                raise CloudMLError(
                    "environment-not-set",
                    f"--env {name}: this kernel has no such environment variable.",
                    next=f"Set it before the kernel starts, or with `os.environ[{name!r}] = getpass.getpass()`.",
                )
            found[name] = value if separator else os.environ[name]
    return found


def _container_environment(
    backend: str, told: Mapping[str, Any], environment: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    # `$` begins an expansion in the values of a container's variables; `$$` stands for itself.
    mine = {"KERAS_BACKEND": backend, "CLOUDML_JOB": json.dumps(told, sort_keys=True)}
    if environment:
        mine["CLOUDML_SECRETS"] = ",".join(environment)
    return tuple((name, value.replace("$(", "$$(")) for name, value in {**mine, **environment}.items())
