"""What points other people's clients at the local platform: variables for a shell, and Python to run as it stands."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from cloudml_magic.local_platform.address import PlatformAddress

_GCLOUD = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"


def variables(address: PlatformAddress, token_file: Path) -> dict[str, str]:
    """Everything that a client can be told by the environment."""
    return {
        "CLOUDML_ENDPOINT": address.endpoint,
        "CLOUDML_BUCKET": address.bucket,
        "STORAGE_EMULATOR_HOST": address.endpoint,
        "GOOGLE_CLOUD_PROJECT": address.project,
        "GOOGLE_CLOUD_REGION": address.region,
        **_gcloud_variables(address, token_file),
    }


def exports(known: Mapping[str, str]) -> str:
    """The lines that a shell takes."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in known.items())


def for_shell(address: PlatformAddress, token_file: Path) -> str:
    """All variables, and where to find what Python has to be told."""
    # The remarks come last: `eval $(…)` without quotes makes one line of all.
    hints = "\n".join(f"# {name}: cloudml platform env --for {name}" for name in CLIENTS)
    return f"{exports(variables(address, token_file))}\n{hints}"


def _gcloud_variables(address: PlatformAddress, token_file: Path) -> dict[str, str]:
    return {
        "CLOUDSDK_CORE_PROJECT": address.project,
        "CLOUDSDK_AI_REGION": address.region,
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token_file),
        f"{_GCLOUD}AIPLATFORM": f"{address.endpoint}/",
        f"{_GCLOUD}LOGGING": f"{address.endpoint}/",
        f"{_GCLOUD}ML": f"{address.endpoint}/",
        f"{_GCLOUD}STORAGE": f"{address.endpoint}/storage/v1/",
    }


def _for_gcloud(address: PlatformAddress, token_file: Path) -> str:
    return exports(_gcloud_variables(address, token_file))


def _for_vertex(address: PlatformAddress, token_file: Path) -> str:
    return f"""\
import os

# The SDK uploads packages through Cloud Storage's client, which reads this.
os.environ["STORAGE_EMULATOR_HOST"] = {address.endpoint!r}

import requests
from google.cloud import aiplatform
{_credentials(token_file)}
aiplatform.init(
    project={address.project!r},
    location={address.region!r},
    staging_bucket={f"gs://{address.bucket}"!r},
    api_endpoint={address.endpoint!r},
    api_transport="rest",
    credentials=credentials,
)


class LocalSession(requests.Session):
    \"\"\"For `endpoint.authorized_session`: raw_predict asks a host that the SDK does not let one change.\"\"\"

    def request(self, method, url, *arguments, **options):
        local = url.replace({f"https://{address.region}-aiplatform.googleapis.com"!r}, {address.endpoint!r})
        return super().request(method, local, *arguments, **options)


local_session = LocalSession()
local_session.headers["Authorization"] = f"Bearer {{credentials.token}}"
local_session.trust_env = False
# CustomJob.from_local_script uploads as nobody, unless it is given credentials=credentials as well."""


def _for_storage(address: PlatformAddress, token_file: Path) -> str:
    return f"""\
from google.cloud import storage
{_credentials(token_file)}
client = storage.Client(
    project={address.project!r},
    credentials=credentials,
    client_options={{"api_endpoint": {address.endpoint!r}}},
)
bucket = client.bucket({address.bucket!r})"""


def _for_googleapiclient(address: PlatformAddress, token_file: Path) -> str:
    return f"""\
import google_auth_httplib2
import httplib2
from googleapiclient import discovery
{_credentials(token_file)}
# Without proxy_info=None a proxy of the environment comes between; one Http serves one thread.
http = google_auth_httplib2.AuthorizedHttp(credentials, http=httplib2.Http(proxy_info=None))
options = {{"api_endpoint": {address.endpoint!r}}}
vertex = discovery.build("aiplatform", "v1", http=http, client_options=options, static_discovery=True)
ml = discovery.build("ml", "v1", http=http, client_options=options, static_discovery=True)
logging = discovery.build("logging", "v2", http=http, client_options=options, static_discovery=True)
parent = {f"projects/{address.project}/locations/{address.region}"!r}"""


def _credentials(token_file: Path) -> str:
    return f"""\
from google.oauth2.credentials import Credentials
from pathlib import Path

credentials = Credentials(token=Path({str(token_file)!r}).read_text().strip())"""


CLIENTS: Mapping[str, Callable[[PlatformAddress, Path], str]] = {
    "vertex": _for_vertex,
    "storage": _for_storage,
    "googleapiclient": _for_googleapiclient,
    "gcloud": _for_gcloud,
}
"""What to print for whom."""
