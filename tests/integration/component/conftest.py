"""Components on the embedded cloud: the rehearsed engine, and a target account that has what components expect of one."""

from tests.integration.execute.conftest import rehearsal

__all__ = ["rehearsal"]
