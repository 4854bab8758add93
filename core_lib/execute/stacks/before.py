"""What a stack was before a run first changed it: kept with the run, so that a rollback knows where to go back to.

It is written once per run and stack, just before the first change that is really made, and costs nothing when nothing changes.
Template and parameters come from the CMDB's record when the stack is as the platform left it; of a stack that somebody else
made or changed, CloudFormation is asked for the template. Values that CloudFormation hides (NoEcho) are never seen or kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from core_lib.db import StackRecord
from core_lib.execute.action import ActionContext
from core_lib.execute.stacks.live import LiveStack
from core_lib.framework.models import FileRef, Message

_HIDDEN = "****"


class StackBefore(Message):
    """A stack before a run. `target` is `account/region`, `action_id` the action that changed it first.

    `existed` is false for a stack that the run created. `hidden` are parameters whose values CloudFormation does not tell.
    `stack_policy` is there only when the run set another one. `run_id` is the run that had deployed it last, as far as known.
    """

    FOLDER: ClassVar[str] = "before"

    target: str
    stack_name: str
    action_id: str
    existed: bool
    stack_id: str | None = None
    status: str | None = None
    template: FileRef | None = None
    parameters: dict[str, str] = Field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)
    protected: bool = False
    role_arn: str | None = None
    stack_policy: str | None = None
    run_id: str | None = None


def keep_way_back(ctx: ActionContext[Any], name: str, *, creates: bool, policy: bool) -> None:
    """Just before a change set is executed: remember what it will change."""
    stack = None if creates else ctx.stacks.live(name) or ctx.stacks.fresh(name)
    if stack is None:
        keep_absence(ctx, name)
    else:
        keep_before(ctx, stack, policy=policy)


def keep_absence(ctx: ActionContext[Any], name: str) -> None:
    """Remember that there was no such stack (what a failed creation left counts as none)."""
    record = ctx.stacks.record(name)
    _keep(
        ctx,
        StackBefore(
            target=ctx.where, stack_name=name, action_id=ctx.action_id, existed=False, run_id=record.run_id if record else None
        ),
    )


def keep_before(ctx: ActionContext[Any], stack: LiveStack, *, policy: bool = False) -> None:
    """Remember this stack as it is now; `policy`: with its stack policy, because that will be changed too."""
    record = ctx.stacks.record(stack.name)
    hidden = tuple(sorted(key for key, value in stack.parameters.items() if value == _HIDDEN))
    before = StackBefore(
        target=ctx.where, stack_name=stack.name, action_id=ctx.action_id, existed=True, stack_id=stack.id, status=stack.status,
        template=_template(ctx, stack, record),
        parameters={key: str(value) for key, value in stack.parameters.items() if key not in hidden}, hidden=hidden,
        tags={key: str(value) for key, value in stack.tags.items()}, protected=stack.protected, role_arn=stack.role_arn,
        stack_policy=_policy(ctx, stack) if policy else None, run_id=record.run_id if record else None,
    )  # fmt: skip
    _keep(ctx, before)


def untouched(record: StackRecord, live: LiveStack) -> bool:
    """Whether nobody changed the stack since the platform left it like this."""
    return (
        live.id == record.stack_id
        and live.updated == record.last_updated
        and dict(live.parameters) == record.parameters
        and dict(live.tags) == record.tags
    )


def _keep(ctx: ActionContext[Any], before: StackBefore) -> None:
    text = json.dumps(before.as_dict(), sort_keys=True)
    ctx.run.keep(f"{StackBefore.FOLDER}/{before.target}/{before.stack_name}.json", text.encode(), first=True)


def _template(ctx: ActionContext[Any], stack: LiveStack, record: StackRecord | None) -> FileRef:
    """The template that the stack was last deployed with: the platform's own copy, else what CloudFormation has."""
    if record is not None and record.template is not None and untouched(record, stack):
        return record.template
    client = ctx.client("cloudformation")
    answer = client.get_template(StackName=stack.id or stack.name, TemplateStage="Original")["TemplateBody"]
    body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
    digest = hashlib.sha256(body).hexdigest()
    key = ctx.run.keep(f"{StackBefore.FOLDER}/{digest}.template", body, first=True)
    return FileRef(path=f"{digest}.template", key=key, sha256=digest, size=len(body))


def _policy(ctx: ActionContext[Any], stack: LiveStack) -> str | None:
    answer: Mapping[str, Any] = ctx.client("cloudformation").get_stack_policy(StackName=stack.name)
    return answer.get("StackPolicyBody") or None
