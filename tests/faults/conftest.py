"""The fault suite works on the same rehearsal as the engine's integration tests: embedded cloud, real CMDB, assumed roles."""

from __future__ import annotations

from tests.integration.execute.conftest import rehearsal

__all__ = ["rehearsal"]
