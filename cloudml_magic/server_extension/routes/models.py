"""`models`: their versions and what they take; deploying, asking, taking away."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from tornado import web

from cloudml_magic.server_extension.bodies import Fields, refused
from cloudml_magic.server_extension.handler import JOB_ID, Handler
from cloudml_magic.server_extension.routes.buckets import FOLDER

_TITLE = 300
_ADDRESS = 2048
_MOST_PICTURES = 64
_LARGEST_PREDICTION = 14 << 20  # ten megabytes of pictures, in base64


class ModelsHandler(Handler):
    """Every model with its versions."""

    @web.authenticated
    async def get(self) -> None:
        await self.reply(self.half.models.models)


class InterfaceHandler(Handler):
    """What a model takes and gives."""

    @web.authenticated
    async def get(self) -> None:
        title = self.query("title")
        await self.reply(lambda: self.half.models.interface(title))


class DeployJobHandler(Handler):
    """Deploys the model of a job."""

    @web.authenticated
    async def post(self, job_id: str) -> None:
        fields = await self.fields()
        name = fields.text("as", _TITLE, required=False)
        fields.end()
        await self.reply(lambda: self.half.models.deploy_job(job_id, name))


class DeployHandler(Handler):
    """Deploys a job's model, MODEL/VERSION or a gs:// folder."""

    @web.authenticated
    async def post(self) -> None:
        fields = await self.fields()
        what, name = fields.required_text("what", _ADDRESS), fields.text("as", _TITLE, required=False)
        fields.end()
        if what.startswith("gs://") and not re.fullmatch(FOLDER, what):
            raise refused("`what` is no address in a bucket.")
        await self.reply(lambda: self.half.models.deploy(what, name))


class UndeployHandler(Handler):
    """Lets a version go, or all of a model."""

    @web.authenticated
    async def post(self) -> None:
        fields = await self.fields()
        title = fields.required_text("title", _TITLE)
        fields.end()
        await self.reply(lambda: self.half.models.undeploy(title))


class RemovalHandler(Handler):
    """What deleting would take away."""

    @web.authenticated
    async def get(self) -> None:
        title = self.query("title")
        await self.reply(lambda: self.half.models.removal(title))


class DeleteModelHandler(Handler):
    """Deletes what the user was shown."""

    @web.authenticated
    async def post(self) -> None:
        fields = await self.fields()
        title, words = fields.required_text("title", _TITLE), fields.required_text("words", _ADDRESS)
        fields.end()
        await self.reply(lambda: self.half.models.delete(title, words))


class PredictHandler(Handler):
    """Asks a deployed model."""

    largest_body = _LARGEST_PREDICTION

    @web.authenticated
    async def post(self) -> None:
        fields = await self.fields()
        title = fields.required_text("title", _TITLE)
        if fields.has("pictures"):
            pictures = await self.work(lambda: fields.items("pictures", _MOST_PICTURES, _picture))
            fields.end()
            await self.reply(lambda: self.half.models.predict_pictures(title, pictures))
            return
        instances = fields.anything("instances")
        fields.end()
        await self.reply(lambda: self.half.models.predict_instances(title, instances))


def _picture(item: Any) -> tuple[str, bytes]:
    if not isinstance(item, dict):
        raise refused("A picture is `{name, content}`.")
    fields = Fields(item)
    name, content = fields.required_text("name", _TITLE), fields.required_text("content", _LARGEST_PREDICTION)
    fields.end()
    try:
        return name, base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise refused("The content of a picture is no base64.") from None


ROUTES = [
    (r"models", ModelsHandler),
    (r"models/interface", InterfaceHandler),
    (rf"jobs/({JOB_ID})/deploy", DeployJobHandler),
    (r"models/deploy", DeployHandler),
    (r"models/undeploy", UndeployHandler),
    (r"models/removal", RemovalHandler),
    (r"models/delete", DeleteModelHandler),
    (r"models/predict", PredictHandler),
]
