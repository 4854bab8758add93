"""Reading all instances of a stack set in portions, before the operations on them are planned."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from core_lib.execute.action import ActionContext
from core_lib.execute.stacks.stack_set_operations import Results, StackSetAction, planned
from core_lib.execute.stacks.stack_sets import Instance, StackSetParams, instances_page
from core_lib.execute.steps import Again, Done, Step

PAGES_PER_STEP = 20
P = TypeVar("P", bound=StackSetParams)


class InstancesAction(StackSetAction[P]):
    """Base of the kinds that first look at the instances that are there."""

    def check(self, ctx: ActionContext[P]) -> Step:
        """Go on reading, or with the operations."""
        return self.look(ctx, dict(ctx.scratch)) if "listed" in ctx.scratch else super().check(ctx)

    def look(self, ctx: ActionContext[P], state: Mapping[str, Any]) -> Step:
        """Read the next pages of instances; then begin what `operations` makes of them."""
        listed, token = list(state.get("listed", ())), state.get("token")
        for _ in range(PAGES_PER_STEP):
            page, token = instances_page(ctx.client("cloudformation"), ctx.params, token)
            listed += [[each.account, each.region, each.status, each.unit] for each in page]
            if token is None:
                return self._begin(ctx, [Instance(*each) for each in listed])
        return Again(after=0, scratch={"listed": listed, "token": token})

    @abstractmethod
    def operations(self, ctx: ActionContext[P], instances: Sequence[Instance]) -> list[dict[str, Any]]:
        """The calls that are needed, given the instances that are there."""

    def _begin(self, ctx: ActionContext[P], instances: Sequence[Instance]) -> Step:
        calls = self.operations(ctx, instances)
        if calls:
            return self.proceed(ctx, planned(calls, calls=calls))
        return Done(outputs=Results({}, {}, ()).as_outputs(), changed=False, message="all instances are as they should be")
