"""Operations: plans that no package was compiled for. Somebody lists actions and targets; the rest is like any other run.

plan = operation_plan("acme", Task.DRIFT, details, [Operation("shop", "AWS::DetectDrift", target, {"StackName": "shop"})])
payload = operation_payload(plan, store)      # the plan goes into the artefact store, the payload names its key
door.submit(payload)                          # or door.run_here(payload): registered, locked, executed, reported
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core_lib.execute import canonical_kind, segments, validate_spec
from core_lib.framework.errors import PayloadError
from core_lib.framework.models import (
    DeploymentDetails,
    FileRef,
    Options,
    PackageDetails,
    Plan,
    PlanAction,
    Provenance,
    SkippedTarget,
    Target,
    Task,
    TaskPayload,
    action_id,
)
from core_lib.helper import ArtefactStore
from core_lib.runner.stored_plans import plan_key, read_plan

COMPILER = "operation/1"
FLEET = DeploymentDetails(portfolio="fleet")
"""The deployment that operations over everything are recorded under: `prn:fleet`."""


@dataclass(frozen=True)
class Operation:
    """One action of an operation. `name` is unique within its target; `after` are names there, or ids (`name@account/region`)."""

    name: str
    kind: str
    target: Target
    spec: Mapping[str, Any] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    on_failure: Literal["stop", "continue"] = "stop"


def operation_plan(
    client: str,
    task: Task,
    deployment: DeploymentDetails,
    operations: Iterable[Operation],
    *,
    files: Iterable[FileRef] = (),
    skipped: Iterable[SkippedTarget] = (),
) -> Plan:
    """The sealed plan of these actions. `files` lie in the artefact store already (templates that actions name by path).

    Raises:
        UnknownKindError, SchemaError: a kind that is not there, a spec that its kind does not take.
        GraphError: a name used twice, an unknown dependency, a cycle.
    """
    listed = list(operations)
    actions = [_action(each) for each in listed]
    numbers = segments(actions)
    targets = {each.target.key: each.target for each in listed}
    return Plan(
        client=client,
        task=task,
        deployment=deployment,
        targets=tuple(targets[key] for key in sorted(targets)),
        skipped=tuple(skipped),
        actions=tuple(action.model_copy(update={"segment": numbers[action.id]}) for action in actions),
        files=tuple(sorted({file.path: file for file in files}.values(), key=lambda file: file.path)),
        provenance=Provenance(compiler=COMPILER, package_sha256="", facts_sha256=""),
    ).sealed()


def operation_payload(
    plan: Plan, store: ArtefactStore, *, options: Options | None = None, correlation_id: str | None = None
) -> TaskPayload:
    """The request to carry a plan out; the plan itself goes into the store, named by its content.

    Raises:
        ArtefactError: it cannot be stored.
    """
    key = plan_key(plan)
    store.put(key, plan.to_json().encode(), content_type="application/json")
    return TaskPayload(
        client=plan.client,
        task=plan.task,
        type="operation",
        deployment_details=plan.deployment,
        package=PackageDetails(key=key),
        options=options or Options(),
        correlation_id=correlation_id,
    )


def operation_of(payload: TaskPayload, store: ArtefactStore) -> Plan:
    """The plan that the payload of an operation names.

    Raises:
        PayloadError: it names none, or one of another client, task or deployment.
        ArtefactError, RunStateError: it is not there, or is not what was stored under that name.
    """
    key = payload.package.key
    if key is None:
        raise PayloadError(
            "an operation names its plan", where="Package.Key", hint="operation_payload stores a plan and names it"
        )
    plan = read_plan(store, key)
    asked = (payload.client, payload.task, payload.prn)
    if asked != (plan.client, plan.task, plan.deployment.prn) or plan_key(plan) != key:
        raise PayloadError(
            f"the plan is a {plan.task} of {plan.deployment.prn} for {plan.client}, not a {payload.task} of {payload.prn}",
            where=key,
            hint="a payload carries out the plan that was made for it",
        )
    return plan


def _action(operation: Operation) -> PlanAction:
    place = operation.target.key
    kind = canonical_kind(operation.kind)
    return PlanAction(
        id=action_id(operation.name, place),
        name=operation.name,
        kind=kind,
        target=place,
        depends_on=tuple(other if "@" in other else action_id(other, place) for other in operation.after),
        on_failure=operation.on_failure,
        spec=validate_spec(kind, operation.spec, where=action_id(operation.name, place)),
    )
