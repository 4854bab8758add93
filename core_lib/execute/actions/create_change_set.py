"""AWS::CreateChangeSet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.stacks.changesets import (
    ChangeSet,
    already_exists,
    delete_change_set,
    delete_shell,
    find_change_set,
)
from core_lib.execute.stacks.live import LiveStack
from core_lib.execute.stacks.parameters import StackParams, Wanted, change_set_request, wanted
from core_lib.execute.stacks.states import STUCK_HINTS, Condition, condition
from core_lib.execute.stacks.unchanged import is_unchanged
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import StackReview

Context = ActionContext[StackParams]


class CreateChangeSet(Action[StackParams]):
    """Works out what deploying a stack would change, and leaves it as a change set for a person to read."""

    kind = "AWS::CreateChangeSet"
    purpose = "Works out what would change in a stack and keeps it as a named change set for review; nothing is executed."
    permissions = (
        "cloudformation:DescribeStacks", "cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet",
        "cloudformation:DeleteChangeSet", "cloudformation:ListChangeSets", "cloudformation:DeleteStack",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html"
    Params = StackParams
    outputs = None
    reads_only = True
    stack_fields = ("StackName",)
    tolerates_unresolved = True
    example: ClassVar[Mapping[str, Any]] = {
        "StackName": "network",
        "Template": "net/vpc.yaml",
        "Parameters": {"Cidr": "10.0.0.0/16"},
        "ChangeSetName": "review-20261123",
    }

    def start(self, ctx: Context) -> Step:
        """Unchanged and unknowable changes are known at once; everything else is asked of CloudFormation."""
        want = wanted(ctx)
        live = ctx.stacks.live(want.name)
        state = condition(live)
        if ctx.unresolved:
            names = ", ".join(ctx.unresolved)
            return _reviewed(want, live, "deferred", reason=f"waits for outputs that are not there yet: {names}")
        if not ctx.force and is_unchanged(ctx, live, want):
            return _reviewed(want, live, "unchanged")
        if state is Condition.NEVER_LIVED:
            return _reviewed(want, live, "deferred", reason="a failed creation has to be removed first")
        if live is not None and state in (Condition.STUCK, Condition.BUSY):
            return Failed(
                f"the stack is {live.status}: {live.reason or 'no reason given'}",
                hint=STUCK_HINTS.get(live.status, "plan again when that has ended"),
            )
        return self._propose(ctx, want, live)

    def check(self, ctx: Context) -> Step:
        """Is the change set worked out?"""
        client = ctx.client("cloudformation")
        want = wanted(ctx)
        found = find_change_set(client, want.name, ctx.scratch["change_set"], values=True)
        if found is None:
            return self.start(ctx)
        if found.pending:
            return Again()
        live = ctx.stacks.live(want.name)
        if found.empty:
            delete_change_set(client, want.name, found.name)
            return _reviewed(want, live, "unchanged")
        if found.status == "FAILED":
            self._withdraw(ctx)
            return Failed(f"CloudFormation refuses the change: {found.reason or 'no reason given'}")
        new = condition(live) is Condition.ABSENT
        return _reviewed(want, live, "create" if new else "update", found)

    def cancel(self, ctx: Context) -> Step:
        """Delete the change set."""
        self._withdraw(ctx)
        return Done(changed=False, message="the change set was deleted")

    def undo(self, ctx: Context) -> Step:
        """Delete the change set."""
        self._withdraw(ctx)
        return Done()

    def _propose(self, ctx: Context, want: Wanted, live: LiveStack | None) -> Step:
        """Make the change set. One of that name is left from an earlier plan: it is replaced."""
        client = ctx.client("cloudformation")
        name = want.params.change_set_name or ctx.token("change-set")
        new = condition(live) is Condition.ABSENT
        request = change_set_request(ctx, want, name, "CREATE" if new else "UPDATE")
        try:
            client.create_change_set(**request)
        except ClientError as error:
            if not already_exists(error) or not delete_change_set(client, want.name, name):
                raise
            client.create_change_set(**request)
        return Again(after=0, scratch={"change_set": name, "shell": new})

    def _withdraw(self, ctx: Context) -> None:
        client = ctx.client("cloudformation")
        if "change_set" in ctx.scratch:
            delete_change_set(client, ctx.params.stack_name, ctx.scratch["change_set"])
            if ctx.scratch.get("shell"):
                delete_shell(client, ctx.params.stack_name)


def _reviewed(
    want: Wanted, live: LiveStack | None, outcome: Any, found: ChangeSet | None = None, *, reason: str | None = None
) -> Done:
    """The review, together with the outputs that the stack has now, so that the plans of later stacks can use them."""
    there = live if condition(live) is not Condition.ABSENT else None
    review = StackReview(
        stack_name=want.name,
        outcome=outcome,
        changes=found.changes if found else (),
        change_set_name=found.name if found else None,
        change_set_id=found.id if found else None,
        stack_id=there.id if there else None,
        stack_status=there.status if there else None,
        last_updated=there.updated if there else None,
        fingerprint=want.fingerprint,
        reason=reason,
    )
    count = len(review.changes)
    message = reason or (f"{outcome}: {count} change{'s' if count != 1 else ''}" if found else "no changes")
    outputs = {**(there.outputs if there else {}), "Review": review.as_dict()}
    return Done(outputs=outputs, changed=found is not None, message=message)
