"""The embedded stack: AWS emulators behind one gateway, the Prefect server and its worker, on one machine.

`up`, `down`, `status` and `environment` are for the stack that stays (`core up`); `EmbeddedCloud` is the AWS part
alone, for tests and short programs. Product code never imports this package: it sees an endpoint in its environment,
nothing else.
"""

from deployments.local.cloud import MANAGEMENT_ACCOUNT, CallCount, EmbeddedCloud
from deployments.local.lifecycle import down, environment, status, up
from deployments.local.options import MemberStatus, Mode, Ports, StackStatus, UpOptions, default_state_dir

__all__ = [
    "MANAGEMENT_ACCOUNT",
    "CallCount",
    "EmbeddedCloud",
    "MemberStatus",
    "Mode",
    "Ports",
    "StackStatus",
    "UpOptions",
    "default_state_dir",
    "down",
    "environment",
    "status",
    "up",
]
