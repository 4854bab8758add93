"""Operations on stack sets, one after the other: asked for, waited for, and their results read for every instance.

A stack set takes one operation at a time. While somebody else's is running (`OperationInProgressException`), this one waits for
its turn. Operation ids come from the action's tokens, so an operation whose answer was lost is found again instead of repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.stacks.live import error_text
from core_lib.execute.stacks.stack_sets import StackSetParams
from core_lib.execute.steps import Again, Done, Failed, Step

PAGES_PER_STEP = 20
BUSY_SECONDS = 20.0
MOST_TOLD = 5
_BUSY = ("OperationInProgressException", "StaleRequestException")
_OVER = ("InvalidOperationException", "OperationNotFoundException")

P = TypeVar("P", bound=StackSetParams)


@dataclass(frozen=True)
class Results:
    """What all operations together did: `account/region` by status, and why instances failed."""

    instances: Mapping[str, Sequence[str]]
    failures: Mapping[str, str]
    operations: Sequence[str]
    bad_end: str | None = None

    @property
    def ok(self) -> bool:
        """Whether every instance is as it should be."""
        return not self.failures and self.bad_end is None

    def as_outputs(self) -> dict[str, Any]:
        """The outputs that all kinds with operations have."""
        return {"Instances": dict(self.instances), "Failures": dict(self.failures), "Operations": list(self.operations)}

    def explain(self) -> str:
        """One text for people."""
        first = "; ".join(f"{key}: {reason}" for key, reason in list(self.failures.items())[:MOST_TOLD])
        more = f"; and {len(self.failures) - MOST_TOLD} more" if len(self.failures) > MOST_TOLD else ""
        return ". ".join(text for text in (self.bad_end, f"{first}{more}") if text)


OUTPUTS: Mapping[str, str] = {
    "Instances": "`account/region` of the instances that were worked on, by status",
    "Failures": "why instances failed, by `account/region`",
    "Operations": "ids of the operations",
}


def planned(todo: Sequence[Mapping[str, Any]], purpose: str = "operation", **more: Any) -> dict[str, Any]:
    """The scratch with which these calls begin. A call is `{"call": client method, "arguments": {...}}`."""
    return {
        "todo": [dict(call) for call in todo], "purpose": purpose, "operation": None, "reading": None, "instances": {},
        "failures": {}, "operations": [], "bad_end": None, **more,
    }  # fmt: skip


class StackSetAction(Action[P]):
    """Base of the kinds that carry out operations on a stack set."""

    def check(self, ctx: ActionContext[P]) -> Step:
        """Go on where the last step stopped."""
        return self.proceed(ctx, dict(ctx.scratch))

    def cancel(self, ctx: ActionContext[P]) -> Step:
        """Stop the operation; instances that are in work come to their end."""
        operation = ctx.scratch.get("operation")
        if operation is None:
            return Done(changed=False, message="nothing was begun")
        try:
            ctx.client("cloudformation").stop_stack_set_operation(**ctx.params.named, OperationId=operation)
        except ClientError as error:
            if error_text(error)[0] not in _OVER:
                raise
        return Again(message="stopping the operation")

    def proceed(self, ctx: ActionContext[P], state: dict[str, Any]) -> Step:
        """Begin the next operation, or look at the one that is running; `finish` when all are over."""
        outcome = _advance(ctx, state)
        return self.finish(ctx, outcome) if isinstance(outcome, Results) else outcome

    def finish(self, ctx: ActionContext[P], results: Results) -> Step:
        """The last step, from the results of all operations."""
        _ = ctx
        if not results.ok:
            hint = "repair the cause, then run again: instances that are current are left alone"
            return Failed(f"not all stack instances succeeded: {results.explain()}", hint=hint)
        count = sum(len(keys) for keys in results.instances.values())
        return Done(outputs=results.as_outputs(), message=f"{count} stack instances")


def _advance(ctx: ActionContext[P], state: dict[str, Any]) -> Again | Results:
    if state["operation"] is None:
        return _ask(ctx, state)
    client = ctx.client("cloudformation")
    if state["reading"] is None:
        answer = client.describe_stack_set_operation(**ctx.params.named, OperationId=state["operation"])["StackSetOperation"]
        if answer["Status"] in ("RUNNING", "QUEUED", "STOPPING"):
            return Again()
        if answer["Status"] != "SUCCEEDED":
            reason = answer.get("StatusReason") or "CloudFormation gave no reason"
            state = {**state, "bad_end": f"the operation {answer['Status'].lower()}: {reason}"}
    for _ in range(PAGES_PER_STEP):
        more = {"NextToken": state["reading"]} if state["reading"] else {}
        page = client.list_stack_set_operation_results(**ctx.params.named, OperationId=state["operation"], **more)
        state = {**_with_results(state, page["Summaries"]), "reading": page.get("NextToken")}
        if state["reading"] is None:
            break
    else:
        return Again(after=0, scratch=state)
    operations = [*state["operations"], state["operation"]]
    todo = [] if state["bad_end"] else state["todo"][1:]
    return _ask(ctx, {**state, "operations": operations, "operation": None, "todo": todo})


def _ask(ctx: ActionContext[P], state: dict[str, Any]) -> Again | Results:
    """Ask for the next operation; the results when there is none left."""
    if not state["todo"]:
        return Results(state["instances"], state["failures"], state["operations"], state["bad_end"])
    call = state["todo"][0]
    identity = ctx.token(f"{state['purpose']}-{len(state['operations'])}")
    ask = getattr(ctx.client("cloudformation"), call["call"])
    try:
        operation = ask(**ctx.params.named, **call["arguments"], OperationId=identity)["OperationId"]
    except ClientError as error:
        code = error_text(error)[0]
        if code in _BUSY:
            return Again(after=BUSY_SECONDS, scratch=state, message="waiting: another operation works on the stack set")
        if code != "OperationIdAlreadyExistsException":
            raise
        operation = identity
    return Again(scratch={**state, "operation": operation})


def _with_results(state: Mapping[str, Any], summaries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    instances = {status: list(keys) for status, keys in state["instances"].items()}
    failures = dict(state["failures"])
    for each in summaries:
        key = f"{each['Account']}/{each['Region']}"
        instances.setdefault(each["Status"], []).append(key)
        if each["Status"] != "SUCCEEDED":
            failures[key] = each.get("StatusReason") or each["Status"]
    return {**state, "instances": instances, "failures": failures}
