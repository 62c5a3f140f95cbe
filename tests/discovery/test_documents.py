"""Google's documents as the one URL table."""

import subprocess
import sys

import pytest

from cloudml_magic.discovery import BodyError, document, normalise, normalise_parameters, violations

AIPLATFORM = document("aiplatform.v1")
STORAGE = document("storage.v1")
CUSTOM_JOB = "GoogleCloudAiplatformV1CustomJob"


@pytest.mark.parametrize(
    ("api", "verb", "path", "method"),
    [
        ("aiplatform.v1", "POST", "/v1/projects/p/locations/l/customJobs", "customJobs.create"),
        ("aiplatform.v1", "GET", "/v1/projects/p/locations/l/customJobs/5", "customJobs.get"),
        ("aiplatform.v1", "POST", "/v1/projects/p/locations/l/customJobs/5:cancel", "customJobs.cancel"),
        ("aiplatform.v1", "DELETE", "/v1/projects/p/locations/l/models/5@2:deleteVersion", "models.deleteVersion"),
        ("aiplatform.v1", "DELETE", "/v1/projects/p/locations/l/models/5", "models.delete"),
        ("aiplatform.v1", "POST", "/v1/projects/p/locations/l/operations/7:wait", "locations.operations.wait"),
        ("ml.v1", "POST", "/v1/projects/p/models/m:predict", "ml.projects.predict"),
        ("ml.v1", "POST", "/v1/projects/p/models/m/versions/v:predict", "ml.projects.predict"),
        ("storage.v1", "GET", "/storage/v1/b/B/o/a%2Fb%2F..%2Fo", "objects.get"),
        ("storage.v1", "GET", "/download/storage/v1/b/B/o/a", "objects.get"),
        ("storage.v1", "POST", "/upload/storage/v1/b/B/o", "objects.insert"),
        ("storage.v1", "POST", "/resumable/upload/storage/v1/b/B/o", "objects.insert"),
        ("storage.v1", "POST", "/storage/v1/b/B/o/a%2Fb/rewriteTo/b/C/o/c", "objects.rewrite"),
        ("logging.v2", "POST", "/v2/entries:list", "logging.entries.list"),
    ],
)
def test_a_verb_and_a_path_mean_one_method(api: str, verb: str, path: str, method: str) -> None:
    """A verb and an undecoded path mean exactly the method that Google's document gives them."""
    match = document(api).match(verb, path)
    assert match is not None
    assert match.method.id.endswith(method)


def test_path_parts_are_decoded_after_matching() -> None:
    """An object's name may hold slashes, encoded, and comes out whole."""
    match = STORAGE.match("GET", "/storage/v1/b/B/o/a%2Fb%252F%C3%A9")
    assert match is not None
    assert match.path_parameters == {"bucket": "B", "object": "a/b%2Fé"}


def test_no_google_library_is_imported_for_the_documents() -> None:
    """Reading a document imports no Google library."""
    code = (
        "import sys; from cloudml_magic.discovery import document; document('storage.v1');"
        "heavy = ('googleapiclient', 'google.auth', 'google.api', 'httplib2');"
        "print([name for name in sys.modules if name.startswith(heavy)])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_bodies_are_brought_into_one_form() -> None:
    """snake_case, enum numbers and names in any case, bare values for lists and numbers for int64 are understood."""
    body = {
        "display_name": "x",
        "job_spec": {
            "worker_pool_specs": {
                "machine_spec": {"machine_type": "n1-standard-4", "accelerator_type": 5, "accelerator_count": "1"},
                "replica_count": 1.0,
                "python_package_spec": {"package_uris": "gs://b/p", "args": None},
            },
            "scheduling": {"strategy": "spot", "timeout": "3600s"},
        },
        "labels": {"my_label": "v"},
    }
    assert normalise(AIPLATFORM, CUSTOM_JOB, body) == {
        "displayName": "x",
        "jobSpec": {
            "workerPoolSpecs": [
                {
                    "machineSpec": {
                        "machineType": "n1-standard-4",
                        "acceleratorType": "NVIDIA_TESLA_T4",
                        "acceleratorCount": 1,
                    },
                    "replicaCount": "1",
                    "pythonPackageSpec": {"packageUris": ["gs://b/p"]},
                }
            ],
            "scheduling": {"strategy": "SPOT", "timeout": "3600s"},
        },
        "labels": {"my_label": "v"},
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"x": 1}, 'Invalid JSON payload received. Unknown name "x": Cannot find field.'),
        (
            {"jobSpec": {"workerPoolSpecs": [{}, {"cow": 1}]}},
            "Invalid JSON payload received. Unknown name \"cow\" at 'jobSpec.workerPoolSpecs[1]': Cannot find field.",
        ),
        ({"displayName": 5}, "Invalid JSON payload received. Invalid value at 'displayName' (TYPE_STRING), 5"),
        ([], "Invalid JSON payload received. Invalid value (Map), a list"),
        (
            {"jobSpec": {"scheduling": {"timeout": "5 minutes"}}},
            "Invalid JSON payload received. Invalid value at 'jobSpec.scheduling.timeout' "
            "(type.googleapis.com/google.protobuf.Duration), Field 'jobSpec.scheduling.timeout', "
            "Illegal duration format; duration must end with 's'",
        ),
        (
            {"jobSpec": {"scheduling": {"strategy": 5}}},
            "Invalid JSON payload received. Invalid value at 'jobSpec.scheduling.strategy' "
            "(enum of STRATEGY_UNSPECIFIED …), 5",
        ),
        (
            {"jobSpec": {"workerPoolSpecs": [{"replicaCount": 2**63}]}},
            "Invalid JSON payload received. Invalid value at 'jobSpec.workerPoolSpecs[0].replicaCount' "
            "(TYPE_INT64), 9223372036854775808",
        ),
        ({"labels": {"a": 1}}, "Invalid JSON payload received. Invalid value at 'labels.a' (TYPE_STRING), 1"),
        (
            {"displayName": "a", "display_name": "b"},
            'Invalid JSON payload received. Invalid value "display_name": the field is set twice.',
        ),
    ],
)
def test_what_a_schema_does_not_allow_is_named(body: object, message: str) -> None:
    """A body that its schema does not allow is refused in Google's words, with the place."""
    with pytest.raises(BodyError) as caught:
        normalise(AIPLATFORM, CUSTOM_JOB, body)
    assert str(caught.value) == message


def test_answers_must_be_in_the_schemas_own_form() -> None:
    """Checking an answer allows none of the liberties that requests have."""
    assert violations(AIPLATFORM, CUSTOM_JOB, {"displayName": "x", "state": "JOB_STATE_QUEUED"}) == []
    assert violations(AIPLATFORM, CUSTOM_JOB, {"display_name": "x"}) != []
    assert violations(AIPLATFORM, CUSTOM_JOB, {"state": 1}) != []
    assert violations(STORAGE, "Object", {"size": 5}) != []


def test_query_parameters_are_typed() -> None:
    """Numbers in a query are numbers, and names that the method does not know are refused."""
    method = AIPLATFORM.methods["aiplatform.projects.locations.customJobs.list"]
    assert normalise_parameters(AIPLATFORM, method, [("pageSize", "5"), ("$alt", "json;enum-encoding=int")]) == {
        "pageSize": 5
    }
    with pytest.raises(BodyError, match="pageSize"):
        normalise_parameters(AIPLATFORM, method, [("pageSize", "five")])
    with pytest.raises(BodyError, match="Cannot bind query parameter"):
        normalise_parameters(AIPLATFORM, method, [("cow", "5")])


def test_enum_numbers_are_those_of_googles_sdk() -> None:
    """The numbers of the enums in a custom job are those that Google's own SDK sends."""
    types = pytest.importorskip("google.cloud.aiplatform_v1.types")
    from cloudml_magic.discovery.enums import numbers

    schemas = AIPLATFORM.schemas
    v1 = "GoogleCloudAiplatformV1"
    for enum, schema, field in (
        (types.AcceleratorType, f"{v1}MachineSpec", "acceleratorType"),
        (types.Scheduling.Strategy, f"{v1}Scheduling", "strategy"),
        (types.JobState, f"{v1}CustomJob", "state"),
        (types.ReservationAffinity.Type, f"{v1}ReservationAffinity", "reservationAffinityType"),
    ):
        theirs = {member.value: member.name for member in enum}
        ours = numbers(schemas[schema]["properties"][field]["enum"])
        assert {number: name for number, name in theirs.items() if name in ours.values()} == dict(ours)
