"""The wire samples: what Google's servers took and gave."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudml_magic.discovery import Document
from cloudml_magic.discovery.documents import Method

from .against_documents import api_of

FOLDER = Path(__file__).parent.parent / "wire_samples"
_RESULTS = {
    "models.upload": "UploadModelResponse",
    "endpoints.create": "Endpoint",
    "endpoints.deployModel": "DeployModelResponse",
    "endpoints.undeployModel": "UndeployModelResponse",
}


@dataclass(frozen=True)
class Sample:
    """One recorded pair."""

    file: str
    method: Method
    api: Document
    bodies: dict[str, Any]

    @property
    def schemas(self) -> dict[str, str | None]:
        """The schema of each body by its role."""
        kind = next((name for end, name in _RESULTS.items() if self.method.id.endswith(end)), "")
        return {
            "request": self.method.request,
            "response": self.method.response,
            "result": f"GoogleCloudAiplatformV1{kind}",
        }


def read(name: str) -> Sample:
    """A sample by its file: `aiplatform_v1/customJobs_create`."""
    known = json.loads((FOLDER / f"{name}.json").read_bytes())
    api = api_of(known["method"].partition(".")[0])
    bodies = {role: known[role] for role in ("request", "response", "result") if role in known}
    return Sample(name, api.methods[known["method"]], api, bodies)


NAMES = sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.glob("*/*.json"))
