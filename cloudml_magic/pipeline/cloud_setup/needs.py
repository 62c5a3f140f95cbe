"""What jobs in the cloud need of a project: APIs, permissions, and the roles that grant them."""

from __future__ import annotations

APIS = (
    "aiplatform.googleapis.com",
    "storage.googleapis.com",
    "logging.googleapis.com",
    "cloudresourcemanager.googleapis.com",
)
# Of each role the permissions that magics use; who has them has what is needed, by whatever role.
ROLES = {
    "roles/aiplatform.user": (
        "aiplatform.customJobs.create",
        "aiplatform.customJobs.get",
        "aiplatform.customJobs.list",
        "aiplatform.customJobs.cancel",
        "aiplatform.models.upload",
        "aiplatform.endpoints.create",
        "aiplatform.endpoints.deploy",
        "aiplatform.endpoints.predict",
        "aiplatform.batchPredictionJobs.create",
    ),
    "roles/logging.viewer": ("logging.logEntries.list",),
}
BUCKET_ROLE = "roles/storage.objectAdmin"
BUCKET_PERMISSIONS = (
    "storage.objects.create",
    "storage.objects.get",
    "storage.objects.list",
    "storage.objects.delete",
)
# What each check takes, that is to look; with --setup some also make what is missing.
LOOKING_ROLES = {
    "APIs": "roles/serviceusage.serviceUsageViewer",
    "project number": "roles/browser",
    "rights": "roles/browser",
    "jobs run as": "roles/iam.serviceAccountViewer",
}
SETUP_ROLES = {"APIs": "roles/serviceusage.serviceUsageAdmin", "bucket": "roles/storage.admin"}
LOOKING_AT_BUCKET_ROLE = "roles/storage.bucketViewer"
LOOKING_APIS = {
    "APIs": "serviceusage.googleapis.com",
    "project number": "cloudresourcemanager.googleapis.com",
    "rights": "cloudresourcemanager.googleapis.com",
    "jobs run as": "iam.googleapis.com",
}
ACT_AS_ROLE = "roles/iam.serviceAccountUser"
ACT_AS = "iam.serviceAccounts.actAs"
FORGET_DAYS = 180
"""How long a bucket that we make keeps what jobs leave in it."""


def enabling(project: str, services: list[str]) -> str:
    """The command that enables APIs."""
    return f"gcloud services enable {' '.join(services)} --project {project}"


def granting(project: str, member: str, role: str) -> str:
    """The command that gives somebody a role in a project."""
    return f"gcloud projects add-iam-policy-binding {project} --member {member} --role {role}"


def granting_on_bucket(bucket: str, member: str, role: str = BUCKET_ROLE) -> str:
    """The command that gives somebody a role on a bucket."""
    return f"gcloud storage buckets add-iam-policy-binding gs://{bucket} --member {member} --role {role}"


def making_bucket(bucket: str, project: str, region: str) -> str:
    """The command that makes a private bucket."""
    return (
        f"gcloud storage buckets create gs://{bucket} --project {project} --location {region}"
        " --uniform-bucket-level-access --public-access-prevention"
    )
