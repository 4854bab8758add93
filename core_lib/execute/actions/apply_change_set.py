"""AWS::ApplyChangeSet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from core_lib.execute.action import ActionContext
from core_lib.execute.stacks.changesets import ChangeSet, find_change_set
from core_lib.execute.stacks.deployment import MOVED, StackDeployment
from core_lib.execute.stacks.live import LiveStack
from core_lib.execute.stacks.parameters import StackParams, Wanted, wanted
from core_lib.execute.stacks.states import Condition, condition
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import StackReview

Context = ActionContext[StackParams]
PLAN_AGAIN = "plan again, and apply what the new plan shows"


class ApplyChangeSet(StackDeployment):
    """Executes exactly the change set that was reviewed, or nothing."""

    kind = "AWS::ApplyChangeSet"
    purpose = "Executes a reviewed change set; refuses when the stack or the change set is no longer as it was reviewed."
    permissions = (
        "cloudformation:DescribeStacks", "cloudformation:DescribeChangeSet", "cloudformation:ExecuteChangeSet",
        "cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:ListChangeSets",
        "cloudformation:DescribeStackEvents", "cloudformation:ListStackResources", "cloudformation:DeleteStack",
        "cloudformation:GetStackPolicy", "cloudformation:SetStackPolicy", "cloudformation:UpdateTerminationProtection",
        "cloudformation:CancelUpdateStack", "cloudformation:GetTemplate", "cloudformation:UpdateStack",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html"
    example: ClassVar[Mapping[str, Any]] = {
        "StackName": "network",
        "Template": "net/vpc.yaml",
        "Parameters": {"Cidr": "10.0.0.0/16"},
        "ChangeSetName": "review-20261123",
    }

    def start(self, ctx: Context) -> Step:
        """Compare the world with the review; then the change set, or nothing, or (deferred) a deployment as it comes."""
        want = wanted(ctx)
        live = ctx.stacks.live(want.name)
        review = ctx.review
        if review is not None:
            if review.outcome == "deferred":
                return self.begin(ctx, want, live)
            if review.fingerprint and review.fingerprint != want.fingerprint:
                return _moved("template, parameters, tags or policy are not those that were reviewed")
        name = (review.change_set_name if review else None) or want.params.change_set_name or ctx.token("change-set")
        found = find_change_set(ctx.client("cloudformation"), want.name, name) if _has_change_set(review) else None
        if found is not None and found.executed and review is not None and found.id == review.change_set_id:
            return self._go_on(found, live)
        if review is not None and (difference := _difference(review, live)):
            return _moved(difference)
        if found is not None and review is not None and review.change_set_id and found.id != review.change_set_id:
            return _moved(f"the change set {name} was made again since")
        if review is not None and review.outcome == "unchanged":
            return self._nothing_to_execute(ctx, want, live)
        if found is None:
            return _moved(f"the change set {name} is gone")
        if found.pending:
            return Again()
        if not found.executable:
            return _moved(f"the change set {name} cannot be executed: {found.execution_status} {found.reason}".rstrip())
        return self._go_on(found, live)

    def _go_on(self, found: ChangeSet, live: LiveStack | None) -> Step:
        kind = "CREATE" if condition(live) is Condition.ABSENT else "UPDATE"
        scratch = {
            "phase": "reviewing", "change_set": found.name, "type": kind, "stack_id": found.stack_id, "shell": False,
            "reviewed": True,
        }  # fmt: skip
        return Again(after=0, scratch=scratch)

    def _nothing_to_execute(self, ctx: Context, want: Wanted, live: LiveStack | None) -> Step:
        record = ctx.stacks.record(want.name)
        if live is not None and record is not None and record.fingerprint == want.fingerprint:
            return Done(outputs=live.outputs, changed=False, message="unchanged")
        return self._settled(ctx, changed=False)

    def _lost_change_set(self, ctx: Context, found: ChangeSet | None) -> Step:
        """A reviewed change set is never replaced by another one."""
        if not ctx.scratch.get("reviewed"):
            return super()._lost_change_set(ctx, found)
        return _moved(f"the change set {ctx.scratch['change_set']} is {'out of date' if found else 'gone'}")


def _has_change_set(review: StackReview | None) -> bool:
    return review is None or review.outcome in ("create", "update")


def _difference(review: StackReview, live: LiveStack | None) -> str | None:
    """What is different from the time of the review."""
    there = live if condition(live) is not Condition.ABSENT else None
    if review.stack_id is None:
        return f"the stack did not exist when it was reviewed, now it is {there.status}" if there else None
    if there is None:
        return "the stack is gone"
    if there.id != review.stack_id:
        return "the stack was deleted and made again"
    if there.status != review.stack_status:
        return f"the stack was {review.stack_status} and is now {there.status}"
    if there.updated != review.last_updated:
        return f"the stack was last changed {review.last_updated} and has been changed again at {there.updated}"
    return None


def _moved(what: str) -> Failed:
    return Failed(f"the world has moved since the review: {what}", hint=PLAN_AGAIN, code=MOVED)
