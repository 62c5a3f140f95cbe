"""%ml_init in the cloud: each thing that is needed is looked at, explained with the command that mends it, or set up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cloudml_magic import pipeline
from cloudml_magic.client.google_credentials import GoogleCredentials
from cloudml_magic.connection import cloud
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.cloud_setup import needs
from cloudml_magic.pipeline.session import CURRENT, connection
from cloudml_magic.records.findings import Finding
from tests.cloud.conftest import Cloud
from tests.cloud.google import Google, RefusalError
from tests.faults.proxy import Fault


def enabled(services: tuple[str, ...]) -> Mapping[str, Any]:
    return {"services": [{"name": f"projects/1/services/{service}", "state": "ENABLED"} for service in services]}


@pytest.fixture
def google(google_cloud: Cloud) -> Iterator[Google]:
    """A project in which nothing is missing."""
    google = google_cloud.google
    google.answer("serviceusage.services.batchGet", enabled(needs.APIS))
    google.answer("cloudresourcemanager.projects.testIamPermissions", lambda path, query, body: body)
    google.answer("iam.projects.serviceAccounts.testIamPermissions", lambda path, query, body: body)
    connection().browser.create("mine", "us-central1", forget_days=30)
    CURRENT.set({"bucket": "mine"})
    client = connection().browser._client()
    yield google
    google_cloud.google.is_expired = False
    client.bucket("mine").delete(force=True)


def findings(setup: bool = False) -> dict[str, Finding]:
    return {finding.subject: finding for finding in pipeline.check_cloud(setup)}


def test_where_all_is_well_every_line_says_so(google: Google) -> None:
    """Who one is, the project, APIs, region, rights, as whom jobs run, and the bucket."""
    said = [f"{finding.mark} {finding.subject}: {finding.state}" for finding in pipeline.check_cloud()]
    assert said == [
        "✓ credentials: trainer@local.iam.gserviceaccount.com",
        "✓ project: local",
        "✓ APIs: 4 enabled",
        "✓ project number: 1",
        "✓ region: us-central1",
        "✓ rights: train, deploy, predict, read logs",
        "✓ jobs run as: Vertex AI's own agent, service-1@gcp-sa-aiplatform-cc.iam.gserviceaccount.com",
        "✓ bucket: gs://mine in us-central1, private",
    ]


def test_without_credentials_the_way_to_sign_in_is_said(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else is looked at."""
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setattr(cloud, "_CREDENTIALS", GoogleCredentials())
    (found,) = pipeline.check_cloud()
    assert (found.mark, found.state) == ("✗", "Google does not know who you are")
    assert "gcloud auth application-default login" in found.fix


def test_credentials_that_google_refuses_are_named(google_cloud: Cloud, google: Google) -> None:
    """With the reason that Google gave."""
    cloud._CREDENTIALS.get(search_again=True)
    google_cloud.expire()
    *_, found = pipeline.check_cloud()
    assert found == Finding(
        "credentials",
        "Google does not accept them: invalid_grant: Token has been expired or revoked.",
        "gcloud auth application-default login",
        is_fatal=True,
    )


def test_the_project_of_the_credentials_is_taken_where_none_is_set(google: Google) -> None:
    """And kept for the session."""
    del CURRENT._session["project"]
    assert findings()["project"].state == "local, from your credentials"
    assert CURRENT.value("project") == "local"


def test_a_project_that_one_may_not_see_ends_the_checks(google: Google) -> None:
    """Nothing can be said of what lies in it."""

    def refused(*_: object) -> Mapping[str, Any]:
        raise RefusalError(403, "The caller does not have permission", "PERMISSION_DENIED")

    google.answer("cloudresourcemanager.projects.get", refused)
    *_, found = pipeline.check_cloud()
    assert (found.subject, found.is_fatal) == ("project number", True)
    assert found.fix == (
        "The caller does not have permission\n"
        "gcloud projects add-iam-policy-binding local --member serviceAccount:trainer@local.iam.gserviceaccount.com"
        " --role roles/browser"
    )


@pytest.mark.parametrize(
    ("setup", "role"),
    [(False, "roles/serviceusage.serviceUsageViewer"), (True, "roles/serviceusage.serviceUsageAdmin")],
)
def test_who_may_not_look_at_apis_is_told_the_role_that_does(google: Google, setup: bool, role: str) -> None:
    """Not to say %ml_init, which is what was said."""

    def refused(*_: object) -> Mapping[str, Any]:
        raise RefusalError(403, "Permission denied to get services", "PERMISSION_DENIED")

    google.answer("serviceusage.services.batchGet", refused)
    *_, found = pipeline.check_cloud(setup)
    assert found.subject == "APIs"
    assert found.fix == (
        "Permission denied to get services\n"
        "gcloud projects add-iam-policy-binding local --member serviceAccount:trainer@local.iam.gserviceaccount.com"
        f" --role {role}"
    )


def test_an_api_that_the_checks_themselves_need_is_named_with_the_command(google: Google) -> None:
    """Service Usage cannot enable itself."""

    def refused(*_: object) -> Mapping[str, Any]:
        said = "Service Usage API has not been used in project 1 before or it is disabled."
        raise RefusalError(403, said, "PERMISSION_DENIED")

    google.answer("serviceusage.services.batchGet", refused)
    *_, found = pipeline.check_cloud()
    assert found.fix.endswith("\ngcloud services enable serviceusage.googleapis.com --project local")


def test_a_bucket_that_one_may_not_look_at_is_said_with_the_role(google_cloud: Cloud, google: Google) -> None:
    """Or it is somebody else's."""
    google_cloud.proxy.script(Fault("status", "GET", r"/b/mine(\?|$)", status=403))
    *_, found = pipeline.check_cloud()
    assert (found.subject, found.is_fatal) == ("bucket", True)
    why, _, fix = found.fix.partition("\n")
    assert why.endswith("A scripted fault.")
    assert fix == (
        "gcloud storage buckets add-iam-policy-binding gs://mine"
        " --member serviceAccount:trainer@local.iam.gserviceaccount.com --role roles/storage.bucketViewer\n"
        "or, if it is not yours, %ml_init --bucket NAME"
    )


def test_missing_apis_are_named_with_the_command(google: Google) -> None:
    """They are not enabled unasked."""
    google.answer("serviceusage.services.batchGet", enabled(needs.APIS[1:]))
    *_, found = pipeline.check_cloud()
    assert found == Finding(
        "APIs",
        "not enabled: aiplatform.googleapis.com",
        "gcloud services enable aiplatform.googleapis.com --project local\nor %ml_init --setup",
        is_fatal=True,
    )


def test_setup_enables_missing_apis_and_waits_for_it(google: Google) -> None:
    """As an operation that takes its time."""
    google.answer("serviceusage.services.batchGet", enabled(needs.APIS[2:]))
    google.answer("serviceusage.services.batchEnable", {"name": "operations/acf.1", "done": False})
    google.answer("serviceusage.operations.get", {"name": "operations/acf.1", "done": True, "response": {}})
    assert findings(setup=True)["APIs"].state == "enabled now: aiplatform.googleapis.com, storage.googleapis.com"
    asked = dict(google.asked)
    assert asked["serviceusage.services.batchEnable"] == {"serviceIds": list(needs.APIS[:2])}


def test_a_region_with_a_slip_is_answered_with_the_near_one(google: Google) -> None:
    """No guessing."""
    CURRENT.set({"region": "us-centrall1"})
    assert findings()["region"].fix == "%ml_init --region us-central1"


def test_missing_rights_are_named_with_the_role_that_holds_them(google: Google) -> None:
    """And for whom."""

    def without_logs(path: object, query: object, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"permissions": [each for each in body["permissions"] if not each.startswith("logging.")]}

    google.answer("cloudresourcemanager.projects.testIamPermissions", without_logs)
    found = findings()["rights"]
    assert (found.mark, found.state) == ("!", "missing: logging.logEntries.list")
    assert found.fix == (
        "gcloud projects add-iam-policy-binding local"
        " --member serviceAccount:trainer@local.iam.gserviceaccount.com --role roles/logging.viewer"
    )


def test_an_account_that_one_may_not_use_is_said_before_a_job_fails(google: Google) -> None:
    """Acting as it needs a right of its own."""
    CURRENT.set({"service_account": "jobs@local.iam.gserviceaccount.com"})
    google.answer("iam.projects.serviceAccounts.testIamPermissions", {})
    found = findings()["jobs run as"]
    assert found.is_fatal
    assert found.fix == (
        "gcloud iam service-accounts add-iam-policy-binding jobs@local.iam.gserviceaccount.com"
        " --member serviceAccount:trainer@local.iam.gserviceaccount.com --role roles/iam.serviceAccountUser"
    )


def test_a_missing_bucket_is_offered_and_made_private_on_request(google: Google) -> None:
    """Uniform access, never public, and with an end for what jobs leave behind."""
    CURRENT.set({"bucket": "gs://new-one/"})
    assert findings()["bucket"].fix == (
        "gcloud storage buckets create gs://new-one --project local --location us-central1"
        " --uniform-bucket-level-access --public-access-prevention\nor %ml_init --setup"
    )
    assert findings(setup=True)["bucket"].state == (
        "gs://new-one, made now in us-central1: private; what jobs leave in it is deleted after 180 days"
    )
    made = connection().browser._client().get_bucket("new-one")
    assert made.iam_configuration.uniform_bucket_level_access_enabled
    assert made.iam_configuration.public_access_prevention == "enforced"
    assert [rule["condition"].get("age") for rule in made.lifecycle_rules] == [180, 1]
    made.delete()


def test_a_bucket_that_is_made_without_a_name_gets_one_that_nobody_can_guess(google: Google) -> None:
    """Else somebody could have taken it before."""
    del CURRENT._session["bucket"]
    assert findings()["bucket"].is_fatal
    assert findings(setup=True)["bucket"].state.startswith("gs://local-cloudml-")
    name = CURRENT.value("bucket")
    assert name is not None
    assert len(name) == len("local-cloudml-") + 8
    connection().browser._client().bucket(name).delete()


def test_another_projects_bucket_is_refused(google: Google) -> None:
    """At the check, and again where something would be sent to it."""
    google.answer("cloudresourcemanager.projects.get", {"name": "projects/7", "state": "ACTIVE"})
    found = findings()["bucket"]
    assert (found.state, found.is_fatal) == ("gs://mine does not belong to project local", True)
    with pytest.raises(CloudMLError) as caught:
        pipeline.train("print(1)", name="stolen")
    assert str(caught.value) == (
        "gs://mine does not belong to project local.\n"
        "  Why:  Whoever owns a bucket can read and change what is sent there, and your job would run it.\n"
        "  Next: Choose a name of your own: `%ml_init --bucket NAME --setup` makes it. Nothing was sent.\n"
        "[foreign-bucket]"
    )
    assert connection().storage.names(connection().place.bucket) == []


def test_whose_a_bucket_is_is_asked_again_after_some_minutes(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have been deleted, and its name taken by somebody else; not at every upload."""
    asked = "cloudresourcemanager.projects.get"
    connection().check_bucket()
    connection().check_bucket()
    assert google.methods().count(asked) == 1
    monkeypatch.setattr(cloud, "_OWNER_SECONDS", 0.0)
    google.answer(asked, {"name": "projects/7", "state": "ACTIVE"})
    with pytest.raises(CloudMLError, match="does not belong to project local"):
        connection().check_bucket()


def test_a_bucket_that_could_be_opened_is_named(google: Google) -> None:
    """With the command that closes it."""
    bucket = connection().browser._client().get_bucket("mine")
    bucket.iam_configuration.public_access_prevention = "inherited"
    bucket.patch()
    assert findings()["bucket"].fix == "gcloud storage buckets update gs://mine --public-access-prevention"


def test_a_bucket_far_away_is_named_before_it_costs(google: Google) -> None:
    """A larger place that holds the region is near."""
    CURRENT.set({"region": "europe-west4"})
    assert findings()["bucket"].state == (
        "gs://mine lies in us-central1, jobs run in europe-west4: slower, and traffic is paid"
    )


def test_the_magic_shows_the_checks_and_then_the_settings(google: Google, shell: Any, capsys: Any) -> None:
    """And ends in one error where the cloud is not ready."""
    shell.run_line_magic("ml_init", "--target cloud --region us-central1")
    printed = capsys.readouterr().out
    assert "✓ bucket          gs://mine in us-central1, private\n\ntarget" in printed
    google.answer("serviceusage.services.batchGet", {})
    with pytest.raises(CloudMLError) as caught:
        shell.run_line_magic("ml_init", "--target cloud")
    assert caught.value.reference == "cloud-not-ready"
    assert caught.value.why.startswith("APIs: not enabled: aiplatform.googleapis.com, ")
    assert caught.value.next.startswith("gcloud services enable aiplatform.googleapis.com ")
