"""The stuck-stack medic: what can be done for each stack, as a plan of ordinary actions. It proposes; people decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from core_lib.execute import normalise
from core_lib.fleet.stuck import Round, StuckStack
from core_lib.fleet.targets import Fleet
from core_lib.framework.models import Message, Plan, Task
from core_lib.runner import FLEET, Operation, operation_plan

_EFFECTS = {
    "ROLLBACK_COMPLETE": "delete the stack, whose creation was rolled back",
    "CREATE_FAILED": "delete the stack and every resource that its failed creation left",
    "ROLLBACK_FAILED": "delete the stack; resources that cannot be deleted are left behind",
    "DELETE_FAILED": "delete the stack; resources that cannot be deleted are left behind",
}


class Repair(Message):
    """What is proposed for one stack: actions of one kind, in words, and whether anything is deleted or given up by it."""

    stack: StuckStack
    kind: str
    specs: tuple[dict[str, Any], ...]
    effect: str
    destructive: bool


class Ward(Message):
    """Stacks with the same status and the same causes, and what is proposed for them. `example` is the first of them."""

    status: str
    effect: str
    destructive: bool
    stacks: tuple[str, ...]
    example: StuckStack


class Diagnosis(Message):
    """Everything that a round found, and what is proposed."""

    targets: int
    wards: tuple[Ward, ...] = ()
    repairs: tuple[Repair, ...] = ()
    unreachable: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether there is nothing to repair."""
        return not self.repairs


def diagnose(found: Round, *, allow_skip: bool = False) -> Diagnosis:
    """A proposal for each stack. `allow_skip`: rollbacks may give up the resources that block them."""
    repairs = tuple(_repair(stack, allow_skip=allow_skip) for stack in found.stuck)
    unreachable = tuple(f"{left.account}/{left.region}: {left.reason}" for left in found.unreachable)
    return Diagnosis(targets=found.targets, wards=_wards(repairs), repairs=repairs, unreachable=unreachable)


def medic_plan(client: str, fleet: Fleet, repairs: Sequence[Repair]) -> Plan:
    """The plan that carries these repairs out; they do not wait for each other."""
    operations = [
        Operation(f"{stack.stack_name}-{number}", repair.kind, fleet.targets[stack.target], spec, on_failure="continue")
        for repair, stack in ((repair, repair.stack) for repair in repairs)
        for number, spec in enumerate(repair.specs, start=1)
    ]
    return operation_plan(client, Task.MEDIC, FLEET, operations)


def _repair(stack: StuckStack, *, allow_skip: bool) -> Repair:
    if stack.status in _EFFECTS:
        return _deletion(stack, _EFFECTS[stack.status])
    if stack.status == "UPDATE_ROLLBACK_FAILED":
        spec: dict[str, Any] = {"StackName": stack.stack_name, "AllowSkip": allow_skip}
        effect = f"continue the rollback, skipping {'only what still blocks it' if allow_skip else 'nothing'}"
        kind = "AWS::ContinueUpdateRollback"
        return Repair(stack=stack, kind=kind, specs=(spec,), effect=effect, destructive=allow_skip)
    if not stack.change_sets:
        return _deletion(stack, "delete the empty stack: it was never created, and no change set is left in it")
    specs = tuple({"StackName": stack.stack_name, "ChangeSetName": name} for name in stack.change_sets)
    effect = "delete the change sets that nobody executed"
    effect += ", and the empty stack around them" if stack.status == "REVIEW_IN_PROGRESS" else ""
    return Repair(stack=stack, kind="AWS::DeleteChangeSet", specs=specs, effect=effect, destructive=False)


def _deletion(stack: StuckStack, effect: str) -> Repair:
    """Delete the stack, unless it has recovered by then."""
    statuses = sorted({stack.status, "DELETE_FAILED"})
    spec = {"StackName": stack.stack_name, "OnDeleteFailed": "retain", "OnlyIn": statuses}
    return Repair(stack=stack, kind="AWS::DeleteStack", specs=(spec,), effect=effect, destructive=True)


def _wards(repairs: Iterable[Repair]) -> tuple[Ward, ...]:
    beds: dict[tuple[str, ...], list[Repair]] = {}
    for repair in repairs:
        causes = [normalise(cause, [repair.stack.stack_name]) for cause in repair.stack.causes]
        beds.setdefault((repair.stack.status, repair.effect, *causes), []).append(repair)
    ordered = sorted(beds.values(), key=lambda bed: (-len(bed), bed[0].stack.status))
    return tuple(
        Ward(
            status=bed[0].stack.status,
            effect=bed[0].effect,
            destructive=bed[0].destructive,
            stacks=tuple(repair.stack.key for repair in bed),
            example=bed[0].stack,
        )
        for bed in ordered
    )
