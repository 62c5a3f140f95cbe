"""Following jobs in the cloud, which sends no stream: few calls, shared by all jobs that are followed."""

from cloudml_magic.client.cloud_watch.watch import CloudWatch

__all__ = ["CloudWatch"]
