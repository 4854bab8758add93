"""The way back of an update: the stack gets the template, the parameters and the tags that it had before the run.

What they were was kept just before the first change (see `before`). Values that CloudFormation hides (NoEcho) were never seen:
they stay as they are now. Protection and stack policy go back last.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.action import ActionContext
from core_lib.execute.stacks.before import StackBefore
from core_lib.execute.stacks.live import LiveStack, describe_stack, error_text
from core_lib.execute.stacks.parameters import LARGEST_BODY, StackParams
from core_lib.execute.stacks.reasons import explain, failure_reasons
from core_lib.execute.stacks.states import STUCK_HINTS, Condition, condition
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.errors import ArtefactError, AwsError
from core_lib.framework.models import FileRef

BEGINS_WITHIN = timedelta(seconds=60)
"""How long a stack may show its last end after an update was asked for."""

Context = ActionContext[StackParams]


def restore(ctx: Context) -> Step:
    """One step on the way back; called until it is over."""
    before = _before(ctx)
    if before is None or not before.existed or before.template is None:
        return Done(changed=False, message="what the stack was before is not known")
    if before.action_id != ctx.action_id:
        return Done(changed=False, message=f"{before.action_id} changed the stack first and takes it back")
    client = ctx.client("cloudformation")
    stack = describe_stack(client, before.stack_id or before.stack_name)
    if stack is None:
        return Failed("the stack is gone", hint="see who deleted it, then deploy again")
    if condition(stack) is Condition.BUSY:
        return Again(scratch={**ctx.scratch}, message=stack.status)
    if "restoring" not in ctx.scratch:
        return _begin(ctx, client, stack, before, before.template)
    if _about_to_begin(ctx, stack):
        return Again()
    if stack.status != "UPDATE_COMPLETE":
        reasons = failure_reasons(client, stack.id)
        return Failed(f"the stack ended {stack.status}: {explain(reasons, stack.reason)}", hint=STUCK_HINTS.get(stack.status))
    return _settle(ctx, client, stack, before)


def _begin(ctx: Context, client: Any, stack: LiveStack, before: StackBefore, template: FileRef) -> Step:
    """Ask for the update. That there is nothing to update is as good: an earlier try was not written down."""
    if condition(stack) is not Condition.UPDATABLE:
        return Failed(f"the stack is {stack.status}: {stack.reason or 'no reason given'}", hint=STUCK_HINTS.get(stack.status))
    request: dict[str, Any] = {
        "StackName": stack.id,
        "Parameters": [
            *({"ParameterKey": key, "ParameterValue": value} for key, value in sorted(before.parameters.items())),
            *({"ParameterKey": key, "UsePreviousValue": True} for key in before.hidden),
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(before.tags.items())],
        "Capabilities": list(ctx.params.capabilities),
        "ClientRequestToken": ctx.token("restore"),
        **_template(ctx, template),
    }
    if before.role_arn:
        request["RoleARN"] = before.role_arn
    try:
        client.update_stack(**request)
    except ClientError as error:
        if "no updates are to be performed" not in error_text(error)[1].lower():
            raise
        return _settle(ctx, client, stack, before)
    asked = {"at": datetime.now(UTC).isoformat(), "updated": stack.updated, "status": stack.status}
    return Again(scratch={**ctx.scratch, "restoring": asked})


def _about_to_begin(ctx: Context, stack: LiveStack) -> bool:
    """Whether the stack still shows what it was when the update was asked for."""
    asked = ctx.scratch["restoring"]
    late = datetime.now(UTC) - datetime.fromisoformat(asked["at"]) > BEGINS_WITHIN
    return not late and (stack.updated, stack.status) == (asked["updated"], asked["status"])


def _settle(ctx: Context, client: Any, stack: LiveStack, before: StackBefore) -> Step:
    """Policy and protection; the record of the last deployment is no longer true."""
    if before.stack_policy is not None:
        client.set_stack_policy(StackName=stack.name, StackPolicyBody=before.stack_policy)
    if stack.protected != before.protected:
        client.update_termination_protection(StackName=stack.name, EnableTerminationProtection=before.protected)
    ctx.stacks.forget(stack.name)
    ctx.stacks.fresh(stack.name)
    kept = f"; values that CloudFormation hides stay: {', '.join(before.hidden)}" if before.hidden else ""
    return Done(message=f"as it was before{kept}")


def _template(ctx: Context, template: FileRef) -> dict[str, str]:
    """The template argument: the text itself, or its URL when it is too long. Raises AwsError when it has none."""
    if template.size <= LARGEST_BODY:
        body = ctx.run.fetch(template.key)
        if hashlib.sha256(body).hexdigest() != template.sha256:
            raise ArtefactError("the stored template is not the one that the stack had", where=template.key)
        return {"TemplateBody": body.decode()}
    url = ctx.run.url(template.key)
    if not url.startswith("http"):
        raise AwsError(
            f"the template before has {template.size} bytes, more than the {LARGEST_BODY} that fit into a request",
            where=ctx.where,
            hint="keep artefacts in S3 (setting artefacts.location), where CloudFormation can read them",
        )
    return {"TemplateURL": url}


def _before(ctx: Context) -> StackBefore | None:
    body = ctx.run.kept(f"{StackBefore.FOLDER}/{ctx.where}/{ctx.params.stack_name}.json")
    return StackBefore.model_validate(json.loads(body)) if body is not None else None
