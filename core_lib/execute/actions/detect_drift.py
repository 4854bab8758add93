"""AWS::DetectDrift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.stacks.drift import (
    DetectionRefusedError,
    begin_detection,
    drifted_resources,
    nested_stacks,
    why_not,
)
from core_lib.execute.stacks.parameters import STACK_NAME
from core_lib.execute.stacks.scope import stack_scope
from core_lib.execute.steps import Again, Done, Step
from core_lib.framework.models import DriftStatus, Message, StackDrift, Target

PAGES_PER_STEP = 10
BUSY_SECONDS = 15.0


class DetectDriftParams(Message):
    """Which stack, and how much of it."""

    stack_name: str = Field(pattern=STACK_NAME, description="Name of the stack")
    nested: bool = Field(default=True, description="Look at the stacks nested in it as well")
    resources: tuple[str, ...] = Field(default=(), description="Only these logical ids of the stack itself; all when empty")


Context = ActionContext[DetectDriftParams]


class DetectDrift(Action[DetectDriftParams]):
    """Compares a stack with the world."""

    kind = "AWS::DetectDrift"
    purpose = "Finds the resources of a stack, and of all stacks nested in it, that are no longer what the template says."
    permissions = (
        "cloudformation:DescribeStacks", "cloudformation:DetectStackDrift", "cloudformation:DetectStackResourceDrift",
        "cloudformation:DescribeStackDriftDetectionStatus", "cloudformation:DescribeStackResourceDrifts",
        "cloudformation:ListStackResources",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackDrift.html"
    Params = DetectDriftParams
    outputs: ClassVar[Mapping[str, str] | None] = {
        "DriftStatus": "DRIFTED, IN_SYNC, UNKNOWN (could not be told), NOT_CHECKED, or DELETED (the stack is gone)",
        "DriftedResourceCount": "how many resources differ",
        "Drift": "everything that was found: resources with the properties that differ",
    }
    reads_only = True
    example: ClassVar[Mapping[str, Any]] = {"StackName": "network"}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """This stack, and those nested in it. CloudFormation reads the resources with the caller's permissions beside these."""
        return stack_scope(cls.permissions, params, target, partition, nested=True)

    def start(self, ctx: Context) -> Step:
        """Begin with the stack itself."""
        stack = ctx.stacks.live(ctx.params.stack_name)
        if stack is None:
            return _result(ctx, {"gone": "there is no such stack; somebody deleted it"}, "DELETED")
        reason = why_not(stack.status)
        if reason is not None:
            return _result(ctx, {"reasons": [reason]}, "NOT_CHECKED")
        todo = [{"id": stack.id, "path": ""}]
        return self._next(ctx, {"stack_id": stack.id, "todo": todo, "statuses": [], "reasons": [], "found": []})

    def check(self, ctx: Context) -> Step:
        """Has the detection ended? Then read what it found, and go on with the next stack."""
        state = dict(ctx.scratch)
        if state.get("detection") is None:
            return self._next(ctx, state)
        client, current = ctx.client("cloudformation"), state["todo"][0]
        if not state.get("reading"):
            answer = client.describe_stack_drift_detection_status(StackDriftDetectionId=state["detection"])
            if answer["DetectionStatus"] == "DETECTION_IN_PROGRESS":
                return Again()
            if answer["DetectionStatus"] == "DETECTION_FAILED":
                state["reasons"] = [*state["reasons"], _named(current["path"], answer.get("DetectionStatusReason"))]
            state["statuses"] = [*state["statuses"], answer.get("StackDriftStatus", "UNKNOWN")]
        for _ in range(PAGES_PER_STEP):
            page, token = drifted_resources(client, current["id"], current["path"], state.get("reading"))
            state["found"] = [*state["found"], *(each.as_dict() for each in page)]
            state["reading"] = token
            if token is None:
                return self._next(ctx, {**state, "todo": self._following(ctx, state["todo"]), "detection": None})
        return Again(after=0, scratch=state)

    def cancel(self, ctx: Context) -> Step:
        """A detection changes nothing; it ends by itself."""
        _ = ctx
        return Done(changed=False, message="nothing was changed")

    def _next(self, ctx: Context, state: dict[str, Any]) -> Step:
        """Begin with the next stack; the result when there is none left."""
        while state["todo"]:
            current = state["todo"][0]
            only = ctx.params.resources if not current["path"] else ()
            try:
                detection = begin_detection(ctx.client("cloudformation"), current["id"], only)
            except DetectionRefusedError as refusal:
                reasons = [*state["reasons"], _named(current["path"], str(refusal))]
                state = {**state, "todo": state["todo"][1:], "reasons": reasons, "statuses": [*state["statuses"], "NOT_CHECKED"]}
                continue
            busy = "a detection that somebody else began is still running"
            after, message = (BUSY_SECONDS, busy) if detection is None else (None, None)
            return Again(after=after, scratch={**state, "detection": detection, "reading": None}, message=message)
        return _result(ctx, state, _overall(state["statuses"]))

    def _following(self, ctx: Context, todo: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
        """What is left to look at when the first of these is done: the rest, and what is nested in it."""
        nested = ctx.params.nested and not ctx.params.resources
        children = nested_stacks(ctx.client("cloudformation"), todo[0]["id"], todo[0]["path"]) if nested else []
        return [*todo[1:], *children]


def _overall(statuses: Sequence[str]) -> DriftStatus:
    """The worst of these."""
    order: tuple[DriftStatus, ...] = ("DRIFTED", "UNKNOWN", "IN_SYNC")
    return next((status for status in order if status in statuses), "NOT_CHECKED")


def _named(path: str, reason: str | None) -> str:
    text = reason or "CloudFormation gave no reason"
    return f"{path}: {text}" if path else text


def _result(ctx: Context, state: Mapping[str, Any], status: DriftStatus) -> Done:
    reasons = [state["gone"]] if "gone" in state else state.get("reasons", [])
    drift = StackDrift.model_validate(
        {
            "StackName": ctx.params.stack_name,
            "Status": status,
            "StackId": state.get("stack_id"),
            "CheckedStacks": sum(each != "NOT_CHECKED" for each in state.get("statuses", ())),
            "Reason": "; ".join(reasons)[:2000] or None,
            "Resources": state.get("found", ()),
        }
    )
    count = len(drift.resources)
    outputs = {"DriftStatus": status, "DriftedResourceCount": count, "Drift": drift.as_dict()}
    words = {"DRIFTED": f"{count} resources differ", "IN_SYNC": "no drift"}
    return Done(
        outputs=outputs, changed=False, message=words.get(status) or f"{status.lower().replace('_', ' ')}: {drift.reason}"
    )
