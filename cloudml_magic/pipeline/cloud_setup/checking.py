"""Looks at what the cloud target needs, one thing after the other, and sets up what may be set up on request."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from cloudml_magic.catalogue import catalogue
from cloudml_magic.client import awaited_operation
from cloudml_magic.connection import CloudConnection, Place
from cloudml_magic.connection.place import DEFAULT_REGION, bucket_name, project_of
from cloudml_magic.dialects import iam_v1, resource_manager_v3, service_usage_v1
from cloudml_magic.dialects.google_operations import read_operation
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.cloud_setup import needs
from cloudml_magic.pipeline.cloud_setup.account import Account
from cloudml_magic.pipeline.cloud_setup.bucket import check_bucket
from cloudml_magic.pipeline.session import CURRENT
from cloudml_magic.records import Target
from cloudml_magic.records.findings import Finding
from cloudml_magic.sign_in import LOG_IN
from cloudml_magic.storage import Address

_LONGEST_ENABLING = 300.0
_DENIED = frozenset({"permission-denied", "bucket-denied"})


def check_cloud(setup: bool = False) -> Iterator[Finding]:
    """Who this user is, the project, its APIs, region, rights and bucket; ends at what nothing goes without.

    With `setup` missing APIs are enabled and a missing bucket is made.
    """
    region = CURRENT.value("region") or DEFAULT_REGION
    bucket = Address(bucket_name(CURRENT) or "")
    account = Account(CloudConnection(Place(Target.CLOUD, project_of(CURRENT) or "", region, bucket)), setup)
    for check, subject in _CHECKS.items():
        try:
            finding = check(account)
        except CloudMLError as error:
            finding = Finding(subject, error.what.rstrip("."), _advice(error, subject, account), is_fatal=True)
        yield finding
        if finding.is_fatal:
            return


def _credentials(account: Account) -> Finding:
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.auth.transport.requests import Request

    found = account.connection.credentials()
    try:
        if not found.valid:
            found.refresh(Request())
    except TransportError:
        fix = "look at this machine's network; nothing is wrong with your sign-in"
        return Finding("credentials", "Google cannot be reached to look at them", fix, is_fatal=True)
    except GoogleAuthError as problem:
        return Finding("credentials", f"Google does not accept them: {problem.args[0]!s}", LOG_IN, is_fatal=True)
    email = getattr(found, "service_account_email", None)
    if email and "@" in email:
        account.member = f"serviceAccount:{email}"
        return Finding("credentials", str(email))
    return Finding("credentials", "your own sign-in")


def _project(account: Account) -> Finding:
    if account.place.project:
        return Finding("project", account.place.project)
    project = account.connection.default_project()
    if not project:
        fix = "%ml_init --project PROJECT; `gcloud projects list` shows yours"
        return Finding("project", "none is set", fix, is_fatal=True)
    CURRENT.set({"project": project})
    where = account.place
    account.connection = CloudConnection(Place(where.target, project, where.region, where.bucket))
    return Finding("project", f"{project}, from your credentials")


def _apis(account: Account) -> Finding:
    caller, project = account.connection.caller(service_usage_v1.API), account.place.project
    enabled = service_usage_v1.read_enabled(caller.perform(service_usage_v1.get_services(project, needs.APIS)))
    missing = [service for service in needs.APIS if service not in enabled]
    if not missing:
        return Finding("APIs", f"{len(needs.APIS)} enabled")
    if not account.setup:
        fix = f"{needs.enabling(project, missing)}\nor %ml_init --setup"
        return Finding("APIs", f"not enabled: {', '.join(missing)}", fix, is_fatal=True)
    operation = awaited_operation(
        read_operation(caller.perform(service_usage_v1.enable_services(project, missing))),
        lambda name: read_operation(caller.perform(service_usage_v1.get_operation(name))),
        longest=_LONGEST_ENABLING,
    )
    if operation.error or not operation.done:
        state = f"could not be enabled: {operation.error or 'it takes longer than it should'}"
        return Finding("APIs", state, needs.enabling(project, missing), is_fatal=True)
    return Finding("APIs", f"enabled now: {', '.join(missing)}")


def _number(account: Account) -> Finding:
    body = account.connection.caller(resource_manager_v3.API).perform(
        resource_manager_v3.get_project(account.place.project)
    )
    account.number = resource_manager_v3.read_number(body)
    if body.get("state") != "ACTIVE":
        fix = f"gcloud projects undelete {account.place.project}"
        return Finding("project number", f"{account.number}, which is being deleted", fix, is_fatal=True)
    return Finding("project number", account.number)


def _region(account: Account) -> Finding:
    known = catalogue().regions
    region = account.place.region
    if region in known:
        return Finding("region", region)
    near = difflib.get_close_matches(region, known, n=3)
    advice = f"%ml_init --region {near[0]}" if near else f"one of {', '.join(known)}"
    return Finding("region", f"{region} is none that offers accelerators, as of {catalogue().date}", advice)


def _rights(account: Account) -> Finding:
    wanted = [permission for permissions in needs.ROLES.values() for permission in permissions]
    body = account.connection.caller(resource_manager_v3.API).perform(
        resource_manager_v3.test_permissions(account.place.project, wanted)
    )
    granted = resource_manager_v3.read_permissions(body)
    roles = [role for role, permissions in needs.ROLES.items() if not granted.issuperset(permissions)]
    if not roles:
        return Finding("rights", "train, deploy, predict, read logs")
    fix = "\n".join(needs.granting(account.place.project, account.member, role) for role in roles)
    return Finding("rights", f"missing: {', '.join(sorted(set(wanted) - granted))}", fix)


def _job_account(account: Account) -> Finding:
    chosen = CURRENT.value("service_account")
    if not chosen:
        agent = f"service-{account.number}@gcp-sa-aiplatform-cc.iam.gserviceaccount.com"
        return Finding("jobs run as", f"Vertex AI's own agent, {agent}")
    body = account.connection.caller(iam_v1.API).perform(
        iam_v1.test_permissions(account.place.project, chosen, [needs.ACT_AS])
    )
    if needs.ACT_AS in resource_manager_v3.read_permissions(body):
        return Finding("jobs run as", chosen)
    fix = (
        f"gcloud iam service-accounts add-iam-policy-binding {chosen} --member {account.member}"
        f" --role {needs.ACT_AS_ROLE}"
    )
    return Finding("jobs run as", f"{chosen}, which you may not use", fix, is_fatal=True)


def _advice(error: CloudMLError, subject: str, account: Account) -> str:
    """Why a check could not look, and what mends it; who looks at rights need not be sent to look at them."""
    where, fix = account.place, error.next
    roles = needs.LOOKING_ROLES | (needs.SETUP_ROLES if account.setup else {})
    if error.reference in _DENIED and subject in roles:
        fix = needs.granting(where.project, account.member, roles[subject])
    elif error.reference in _DENIED and where.bucket.bucket:
        look = needs.granting_on_bucket(where.bucket.bucket, account.member, needs.LOOKING_AT_BUCKET_ROLE)
        fix = f"{look}\nor, if it is not yours, %ml_init --bucket NAME"
    elif error.reference == "api-disabled" and subject in needs.LOOKING_APIS:
        fix = needs.enabling(where.project, [needs.LOOKING_APIS[subject]])
    return "\n".join(filter(None, (error.why, fix)))


_CHECKS = {
    _credentials: "credentials",
    _project: "project",
    _apis: "APIs",
    _number: "project number",
    _region: "region",
    _rights: "rights",
    _job_account: "jobs run as",
    check_bucket: "bucket",
}
