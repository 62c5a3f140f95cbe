"""The second street's first half: from a model, wherever it is, to an endpoint that answers."""

from cloudml_magic.pipeline.deployment.deploying import Deployment, deploy
from cloudml_magic.pipeline.deployment.lookup import DeployedModel, deployed_model, model_lines
from cloudml_magic.pipeline.deployment.options import DeployOptions
from cloudml_magic.pipeline.deployment.removing import delete_model, removal_of, undeploy

__all__ = [
    "DeployOptions",
    "DeployedModel",
    "Deployment",
    "delete_model",
    "deploy",
    "deployed_model",
    "model_lines",
    "removal_of",
    "undeploy",
]
