"""Plans for tests of the engine: a few words per action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core_lib.execute import catalogue, segments
from core_lib.framework.models import DeploymentDetails, FileRef, Plan, PlanAction, Provenance, Target, Task, action_id

HERE = "111111111111/eu-west-1"


def action(name: str, kind: str = "SYSTEM::NoOp", *, target: str = HERE, after: Iterable[str] = (), **fields: Any) -> PlanAction:
    """An action; `after` are names in the same target, or ids (`name@account/region`)."""
    depends_on = tuple(other if "@" in other else action_id(other, target) for other in after)
    return PlanAction(id=action_id(name, target), name=name, kind=kind, target=target, depends_on=depends_on, **fields)


def example(name: str, kind: str, *, target: str = HERE, after: Iterable[str] = (), **changes: Any) -> PlanAction:
    """The example of a kind as an action, with some of its parameters replaced; `None` leaves one out."""
    spec = {key: value for key, value in (dict(catalogue()[kind].example) | changes).items() if value is not None}
    return action(name, kind, target=target, after=after, spec=spec)


def plan_of(actions: Iterable[PlanAction], *, files: Mapping[str, FileRef] | None = None, task: Task = Task.DEPLOY) -> Plan:
    """A sealed plan over these actions, with their segments."""
    listed = list(actions)
    numbers = segments(listed)
    targets = dict.fromkeys(each.target for each in listed)
    return Plan(
        client="acme",
        task=task,
        deployment=DeploymentDetails(portfolio="web", app="shop", branch="main", build="7"),
        targets=tuple(Target(account=key.partition("/")[0], region=key.partition("/")[2]) for key in targets),
        actions=tuple(each.but(segment=numbers[each.id]) for each in listed),
        files=tuple((files or {}).values()),
        provenance=Provenance(compiler="test", package_sha256="0" * 64, facts_sha256="0" * 64),
    ).sealed()
