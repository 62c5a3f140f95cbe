"""From an account to the first job: each thing that the cloud target needs, looked at and set up on request."""

from cloudml_magic.pipeline.cloud_setup.checking import check_cloud

__all__ = ["check_cloud"]
