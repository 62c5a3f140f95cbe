"""Identity and Access Management: what this user may do with a service account."""

from __future__ import annotations

from collections.abc import Sequence

from cloudml_magic.dialects.call import Call

API = ("iam", "v1")


def test_permissions(project: str, account: str, permissions: Sequence[str]) -> Call:
    """Which of these permissions this user has on a service account."""
    resource = f"projects/{project}/serviceAccounts/{account}"
    return Call(
        "iam.projects.serviceAccounts.testIamPermissions", {"resource": resource}, {"permissions": list(permissions)}
    )
