"""What a deployment does after (or instead of) its change set: termination protection, stack policy, the record in the CMDB."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from core_lib.execute.action import ActionContext
from core_lib.execute.stacks.before import keep_before
from core_lib.execute.stacks.live import LiveStack
from core_lib.execute.stacks.parameters import StackParams, Wanted
from core_lib.framework.errors import AwsError


def settle(
    ctx: ActionContext[StackParams], want: Wanted, stack: LiveStack | None, *, created: bool, executed: bool
) -> tuple[LiveStack, bool]:
    """Bring protection and policy to what is wanted and remember the result; says whether either had to be changed."""
    client = ctx.client("cloudformation")
    found = stack if stack is not None else ctx.stacks.fresh(want.name)
    if found is None:
        raise AwsError("the stack has vanished", where=f"{ctx.where}/{want.name}", hint="see who deletes it, then run again")
    adjusted = False
    if want.policy is not None and (created or (not executed and _policy(client, want.name) != json.loads(want.policy))):
        if not executed:
            keep_before(ctx, found, policy=True)
        client.set_stack_policy(StackName=want.name, StackPolicyBody=want.policy)
        adjusted = True
    protection = want.params.termination_protection
    if protection is not None and protection != found.protected:
        if not executed:
            keep_before(ctx, found)
        client.update_termination_protection(StackName=want.name, EnableTerminationProtection=protection)
        found, adjusted = replace(found, protected=protection), True
    ctx.stacks.remember(found, want.fingerprint, ctx.run_id, ctx.action_id, ctx.file_ref(want.params.template))
    return found, adjusted


def _policy(client: Any, stack: str) -> Any:
    body = client.get_stack_policy(StackName=stack).get("StackPolicyBody")
    return json.loads(body) if body else None
