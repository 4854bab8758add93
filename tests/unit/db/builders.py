"""Builders of what the CMDB stores."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core_lib.framework.models import ActionState, ActionStatus, DeploymentDetails, RunState, RunStatus, Task

EARLY = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


def a_run(run_id: str = "20261101-080000-aaaaaa", **fields: Any) -> RunState:
    """A registered deploy run of client acme."""
    values: dict[str, Any] = {
        "client": "acme",
        "prn": "prn:payments:ledger:main:7",
        "task": Task.DEPLOY,
        "status": RunStatus.PENDING,
        "plan_hash": "0" * 64,
        "plan_key": "artefacts/payments/ledger/main/7/deploy.actions",
        "created_at": EARLY,
    }
    return RunState(run_id=run_id, **(values | fields))


def a_state(action_id: str = "net@111111111111/eu-west-1", run_id: str = "20261101-080000-aaaaaa", **fields: Any) -> ActionState:
    """The row of a running action that is not yet in the ledger."""
    values: dict[str, Any] = {"status": ActionStatus.RUNNING, "started_at": EARLY}
    return ActionState(run_id=run_id, action_id=action_id, **(values | fields))


def details(**fields: Any) -> DeploymentDetails:
    """Build 7 of payments:ledger on main."""
    values: dict[str, Any] = {"portfolio": "payments", "app": "ledger", "branch": "main", "build": "7"}
    return DeploymentDetails(**(values | fields))
