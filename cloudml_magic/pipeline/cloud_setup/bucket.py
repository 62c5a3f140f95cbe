"""Whether the bucket of the jobs is what it should be."""

from __future__ import annotations

import secrets

from cloudml_magic.connection.cloud import foreign_bucket
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.cloud_setup import needs
from cloudml_magic.pipeline.cloud_setup.account import Account
from cloudml_magic.pipeline.session import CURRENT
from cloudml_magic.records.findings import Finding
from cloudml_magic.storage.browser import BucketFacts


def check_bucket(account: Account) -> Finding:
    """The bucket that is set: there, this project's, near the jobs and closed; made on request."""
    where = account.place
    name = where.bucket.bucket
    if not name and not account.setup:
        return Finding(
            "bucket", "none is set", "%ml_init --bucket NAME, or %ml_init --setup to make one", is_fatal=True
        )
    facts = _facts(account, name) if name else None
    if facts is None:
        # A name that can be guessed could be taken by somebody else before.
        name = name or f"{where.project}-cloudml-{secrets.token_hex(4)}"
        if not account.setup:
            fix = f"{needs.making_bucket(name, where.project, where.region)}\nor %ml_init --setup"
            return Finding("bucket", f"gs://{name} does not exist", fix, is_fatal=True)
        account.connection.browser.create(name, where.region, forget_days=needs.FORGET_DAYS)
        CURRENT.set({"bucket": name})
        kept = f"what jobs leave in it is deleted after {needs.FORGET_DAYS} days"
        return Finding("bucket", f"gs://{name}, made now in {where.region}: private; {kept}")
    return _fitting(account, facts)


def _facts(account: Account, name: str) -> BucketFacts | None:
    try:
        return account.connection.browser.facts(name)
    except CloudMLError as error:
        if error.reference == "no-bucket":
            return None
        raise


def _fitting(account: Account, facts: BucketFacts) -> Finding:
    """A bucket that exists: this project's, near the jobs, open to this user and to nobody else."""
    where = account.place
    if facts.project_number != account.number:
        raise foreign_bucket(facts.name, where.project)
    missing = account.connection.browser.missing_permissions(facts.name, needs.BUCKET_PERMISSIONS)
    if missing:
        fix = needs.granting_on_bucket(facts.name, account.member)
        return Finding("bucket", f"gs://{facts.name}: you lack {', '.join(missing)}", fix, is_fatal=True)
    update = f"gcloud storage buckets update gs://{facts.name}"
    if not facts.is_public_prevented:
        return Finding(
            "bucket", f"gs://{facts.name} could be opened to the public", f"{update} --public-access-prevention"
        )
    if not facts.is_uniform:
        return Finding(
            "bucket", f"gs://{facts.name} has rights of single objects", f"{update} --uniform-bucket-level-access"
        )
    if not _holds(facts, where.region):
        return Finding(
            "bucket",
            f"gs://{facts.name} lies in {facts.location}, jobs run in {where.region}: slower, and traffic is paid",
            f"%ml_init --region {facts.location}, or a bucket in {where.region}",
        )
    return Finding("bucket", f"gs://{facts.name} in {facts.location}, private")


def _holds(facts: BucketFacts, region: str) -> bool:
    """Whether a bucket lies in a region, or in a larger place that holds it."""
    continents = {"us": ("us-", "northamerica-"), "eu": ("europe-",), "asia": ("asia-",)}
    return (
        facts.location == region
        or region in facts.regions
        or region.startswith(continents.get(facts.location, ("\0",)))
    )
