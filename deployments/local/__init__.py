"""The embedded stack: AWS emulators behind one gateway, the Prefect server and its worker, on one machine."""

from deployments.local.cloud import CallCount, EmbeddedCloud

__all__ = ["CallCount", "EmbeddedCloud"]
