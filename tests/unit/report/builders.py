"""Plans, ledger rows and runs for the tests of reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from core_lib.framework.models import (
    ActionState,
    ActionStatus,
    Cause,
    DeploymentDetails,
    ErrorInfo,
    Plan,
    PlanAction,
    Provenance,
    RunState,
    RunStatus,
    StackReview,
    Target,
    Task,
)

START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
RUN_ID = "20261123-070000-abcdef"


def account(number: int) -> str:
    """The account id of a small number."""
    return f"{111100000000 + number}"


def make_plan(
    targets: int = 3, names: tuple[str, ...] = ("net", "app"), kind: str = "SYSTEM::NoOp", task: Task = Task.DEPLOY
) -> Plan:
    """The same chain of actions in every target, all in eu-west-1."""
    places = [Target(account=account(n), region="eu-west-1", account_name=f"team-{n}") for n in range(targets)]
    actions = []
    for place in places:
        before: tuple[str, ...] = ()
        for name in names:
            spec = {"StackName": f"{place.account_name}-{name}"} if kind.startswith("AWS::") else {}
            action = PlanAction(id=f"{name}@{place.key}", name=name, kind=kind, target=place.key, depends_on=before, spec=spec)
            actions.append(action)
            before = (action.id,)
    plan = Plan(
        client="acme",
        task=task,
        deployment=DeploymentDetails(portfolio="payments", app="ledger", branch="main", build="7"),
        targets=tuple(places),
        actions=tuple(actions),
        provenance=Provenance(compiler="test", package_sha256="0" * 64, facts_sha256="0" * 64),
    )
    return plan.sealed()


def make_run(plan: Plan, status: RunStatus = RunStatus.SUCCEEDED, **fields: Any) -> RunState:
    """A run of that plan which took ten minutes."""
    values: dict[str, Any] = {
        "run_id": RUN_ID,
        "client": plan.client,
        "prn": str(plan.deployment.prn),
        "task": plan.task,
        "status": status,
        "plan_hash": plan.hash,
        "plan_key": "k",
        "created_at": START,
        "started_at": START,
        "ended_at": START + timedelta(minutes=10),
    }
    return RunState(**(values | fields))


def row(action_id: str, status: ActionStatus = ActionStatus.SUCCEEDED, seconds: float = 30, **fields: Any) -> ActionState:
    """A ledger row of an action that took so long."""
    times = {"started_at": START, "ended_at": START + timedelta(seconds=seconds)} if status.ended else {"started_at": START}
    return ActionState(run_id=RUN_ID, action_id=action_id, status=status, **(times | fields))


def failed(action_id: str, message: str, code: str = "CORE-4003", cause: Cause = Cause.PERMANENT) -> ActionState:
    """The row of a failed action."""
    return row(action_id, ActionStatus.FAILED, error=ErrorInfo(code=code, message=message, cause=cause, where=action_id))


def reviewed(action_id: str, **review: Any) -> ActionState:
    """The row of a CreateChangeSet action that recorded this review."""
    return row(action_id, outputs={"Review": StackReview(**review).as_dict()})
