"""Deploying a stack through a change set: the phases that creating, updating and applying have in common.

    waiting    somebody else's operation on the stack has to end first
    removing   what is left of a failed creation is deleted
    reviewing  CloudFormation works the change set out
    executing  CloudFormation executes it

The phase, the change set's name and the stack's id are in the scratch before anything depends on them. Change set names and
request tokens come from (run, action, attempt), so a step that is repeated after a crash finds what it did before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from botocore.exceptions import ClientError

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.stacks.before import keep_way_back
from core_lib.execute.stacks.changesets import ChangeSet, already_exists, delete_change_set, delete_shell, find_change_set
from core_lib.execute.stacks.live import LiveStack, describe_stack, error_text, is_missing
from core_lib.execute.stacks.parameters import StackParams, Wanted, change_set_request, wanted
from core_lib.execute.stacks.reasons import explain, failure_reasons
from core_lib.execute.stacks.removal import RemovalRefusedError, remove_failed_creation
from core_lib.execute.stacks.restoring import restore
from core_lib.execute.stacks.settling import settle
from core_lib.execute.stacks.states import GOOD, STUCK_HINTS, Condition, condition
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Cause

LONGEST_WAIT = timedelta(minutes=60)
"""How long another's operation on the stack is waited for."""

MOST_LOST = 3
"""How often a change set that has vanished is made again."""

BEGINS_WITHIN = timedelta(seconds=60)
"""How long a stack may show its last end after a change set was executed."""

MOVED = "CORE-5002"
Context = ActionContext[StackParams]


class StackDeployment(Action[StackParams]):
    """Base of the kinds that deploy a stack."""

    Params = StackParams
    outputs = None
    stack_fields = ("StackName",)

    def check(self, ctx: Context) -> Step:
        """Where the deployment stands, by phase."""
        phase = ctx.scratch.get("phase")
        if phase is None:
            return self.start(ctx)
        if phase == "waiting":
            return self._check_waiting(ctx)
        if phase == "removing":
            return self._check_removing(ctx)
        return self._check_reviewing(ctx) if phase == "reviewing" else self._check_executing(ctx)

    def cancel(self, ctx: Context) -> Step:
        """Before the execution: withdraw. An update is cancelled, a creation runs to its end."""
        phase = ctx.scratch.get("phase")
        if phase == "reviewing":
            change_set = find_change_set(_client(ctx), ctx.params.stack_name, ctx.scratch["change_set"])
            if change_set is None or not change_set.executed:
                self._withdraw(ctx)
                return Done(changed=False, message="the change set was deleted, nothing was executed")
        elif phase != "executing":
            return Done(changed=False, message="nothing was begun")
        elif ctx.scratch["type"] == "UPDATE":
            _cancel_update(ctx)
        return Again(message="waiting for CloudFormation to come to an end")

    def undo(self, ctx: Context) -> Step:
        """Delete the stack if this action created it; after an update bring back what was before."""
        if ctx.scratch.get("type") != "CREATE":
            return restore(ctx)
        client = _client(ctx)
        stack = describe_stack(client, _stack_id(ctx))
        if stack is None:
            ctx.stacks.forget(ctx.params.stack_name)
            return Done()
        if stack.status == "DELETE_FAILED" and ctx.scratch.get("deleting"):
            return Failed(explain(failure_reasons(client, stack.id, frozenset({"DELETE_IN_PROGRESS"})), stack.reason))
        if stack.status != "DELETE_IN_PROGRESS":
            if stack.protected:
                client.update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)
            client.delete_stack(StackName=stack.id, ClientRequestToken=ctx.token("undo"))
        return Again(scratch={**ctx.scratch, "deleting": True})

    def begin(self, ctx: Context, want: Wanted, live: LiveStack | None, *, again: bool = False, lost: int = 0) -> Step:
        """The first phase that the stack needs."""
        state = condition(live)
        if live is None or state is Condition.ABSENT:
            return self._propose(ctx, want, "CREATE", live, again=again, lost=lost)
        if state is Condition.UPDATABLE:
            return self._propose(ctx, want, "UPDATE", live, again=again, lost=lost)
        if state is Condition.NEVER_LIVED:
            try:
                remove_failed_creation(_client(ctx), live, ctx.token("remove"))
            except RemovalRefusedError as error:
                return Failed(error.message, hint=error.hint)
            return Again(scratch={"phase": "removing", "stack_id": live.id}, message="deleting what a failed creation left")
        if state is Condition.STUCK:
            return Failed(f"the stack is {live.status}: {live.reason or 'no reason given'}", hint=STUCK_HINTS.get(live.status))
        scratch = {"phase": "waiting", "since": ctx.scratch.get("since") or _now().isoformat()}
        return Again(scratch=scratch, message=f"waiting: the stack is {live.status}")

    def request(self, ctx: Context, want: Wanted, name: str, kind: Literal["CREATE", "UPDATE"]) -> dict[str, Any]:
        """Arguments for CreateChangeSet."""
        return change_set_request(ctx, want, name, kind)

    def _propose(
        self, ctx: Context, want: Wanted, kind: Literal["CREATE", "UPDATE"], live: LiveStack | None, *, again: bool, lost: int
    ) -> Step:
        """Make the change set, or find the one that an interrupted step made."""
        client = _client(ctx)
        name = want.params.change_set_name or ctx.token("change-set")
        try:
            answer = client.create_change_set(**self.request(ctx, want, name, kind))
            stack_id = answer["StackId"]
        except ClientError as error:
            found = find_change_set(client, want.name, name) if already_exists(error) else None
            if found is not None:
                stack_id = found.stack_id or want.name
            elif again:
                raise
            else:
                fresh = ctx.stacks.fresh(want.name)
                if condition(fresh) is condition(live):
                    raise
                return self.begin(ctx, want, fresh, again=True, lost=lost)
        scratch = {
            "phase": "reviewing", "change_set": name, "type": kind, "stack_id": stack_id, "since": _now().isoformat(),
            "shell": kind == "CREATE", "lost": lost,
        }  # fmt: skip
        return Again(after=0, scratch=scratch)

    def _check_waiting(self, ctx: Context) -> Step:
        live = ctx.stacks.fresh(ctx.params.stack_name)
        if condition(live) is Condition.BUSY and live is not None and _elapsed(ctx) > LONGEST_WAIT:
            return Failed(
                f"the stack is still {live.status} after {LONGEST_WAIT}", cause=Cause.TIMEOUT, hint="see who changes this stack"
            )
        return self.begin(ctx, wanted(ctx), live)

    def _check_removing(self, ctx: Context) -> Step:
        left = describe_stack(_client(ctx), _stack_id(ctx))
        if left is None:
            return self.begin(ctx, wanted(ctx), ctx.stacks.fresh(ctx.params.stack_name))
        if left.status == "DELETE_FAILED":
            reasons = failure_reasons(_client(ctx), left.id, frozenset({"DELETE_IN_PROGRESS"}))
            return Failed(explain(reasons, left.reason), hint=STUCK_HINTS["DELETE_FAILED"])
        return Again()

    def _check_reviewing(self, ctx: Context) -> Step:
        client = _client(ctx)
        found = find_change_set(client, ctx.params.stack_name, ctx.scratch["change_set"])
        if found is None or found.execution_status == "OBSOLETE":
            return self._lost_change_set(ctx, found)
        if found.pending:
            return Again()
        if found.empty:
            delete_change_set(client, ctx.params.stack_name, found.name)
            return self._settled(ctx, changed=False)
        if found.executable:
            return self._execute(ctx, found)
        if found.executed:
            return Again(after=0, scratch={**ctx.scratch, "phase": "executing", "stack_id": found.stack_id or _stack_id(ctx)})
        if found.status == "FAILED":
            self._withdraw(ctx)
            return Failed(f"CloudFormation refuses the change: {found.reason or 'no reason given'}")
        return Again()

    def _lost_change_set(self, ctx: Context, found: ChangeSet | None) -> Step:
        """The change set is gone or out of date. If it was executed before it vanished, go on; else make a new one."""
        stack = ctx.stacks.fresh(ctx.params.stack_name)
        lived = condition(stack) is not Condition.ABSENT  # a shell may name a change set that was never executed
        if stack is not None and lived and stack.change_set_id and ctx.scratch["change_set"] in stack.change_set_id:
            return Again(after=0, scratch={**ctx.scratch, "phase": "executing", "stack_id": stack.id})
        if found is not None:
            delete_change_set(_client(ctx), ctx.params.stack_name, found.name)
        lost = int(ctx.scratch.get("lost", 0)) + 1
        if lost > MOST_LOST:
            return Failed("its change sets keep disappearing", hint="see who else changes or cleans up this stack")
        return self.begin(ctx, wanted(ctx), stack, lost=lost)

    def _execute(self, ctx: Context, change_set: ChangeSet) -> Step:
        client = _client(ctx)
        want = wanted(ctx)
        creates = ctx.scratch["type"] == "CREATE"
        keep_way_back(ctx, want.name, creates=creates, policy=want.policy is not None)
        if want.policy is not None and not creates:
            client.set_stack_policy(StackName=want.name, StackPolicyBody=want.policy)
        try:
            client.execute_change_set(
                StackName=want.name,
                ChangeSetName=change_set.name,
                ClientRequestToken=ctx.token("execute"),
            )
        except ClientError as error:
            if not error_text(error)[0].startswith("InvalidChangeSetStatus") and not is_missing(error):
                raise
            return Again()  # somebody was faster (perhaps this very action, before a crash): look at it again
        stack_id = change_set.stack_id or _stack_id(ctx)
        return Again(scratch={**ctx.scratch, "phase": "executing", "stack_id": stack_id, "since": _now().isoformat()})

    def _check_executing(self, ctx: Context) -> Step:
        client = _client(ctx)
        stack = describe_stack(client, _stack_id(ctx))
        if stack is not None and stack.status.endswith("_IN_PROGRESS"):
            return self._still_executing(ctx, stack)
        if stack is not None and stack.status not in GOOD and self._about_to_begin(ctx, stack):
            return Again()
        if stack is None or stack.status not in GOOD:
            ended = stack.status if stack else "DELETE_COMPLETE"
            reasons = failure_reasons(client, _stack_id(ctx))
            timed_out = ctx.scratch.get("timed_out")
            text = f"the stack ended {ended}: {explain(reasons, stack.reason if stack else None)}"
            cause = Cause.TIMEOUT if timed_out else Cause.PERMANENT
            return Failed(f"timed out after {ctx.params.timeout_minutes} min; {text}" if timed_out else text, cause=cause)
        executed = find_change_set(client, stack.name, ctx.scratch["change_set"])
        if executed is not None and executed.execution_status == "EXECUTE_IN_PROGRESS":
            return Again()
        if _superseded(ctx, stack, executed):
            hint = "see who else deploys this stack; another attempt deploys it again"
            return Failed("somebody else changed the stack after this deployment", cause=Cause.TRANSIENT, hint=hint)
        broken = [reason for reason in failure_reasons(client, stack.id) if reason.status != "DELETE_FAILED"]
        if broken or (executed is not None and executed.execution_status == "EXECUTE_FAILED"):
            return Failed(f"CloudFormation reports {stack.status}, but not all went well: {explain(broken, stack.reason)}")
        return self._settled(ctx, changed=True, stack=stack)

    def _about_to_begin(self, ctx: Context, stack: LiveStack) -> bool:
        """Whether the stack still shows how its last operation ended, because the new one has only just been asked for."""
        if condition(stack) is not Condition.UPDATABLE or _elapsed(ctx) > BEGINS_WITHIN:
            return False
        found = find_change_set(_client(ctx), stack.name, ctx.scratch["change_set"])
        return found is not None and found.execution_status == "EXECUTE_IN_PROGRESS"

    def _still_executing(self, ctx: Context, stack: LiveStack) -> Step:
        limit = ctx.params.timeout_minutes
        if limit is None or ctx.scratch.get("timed_out") or _elapsed(ctx) < timedelta(minutes=limit):
            return Again(message=stack.status)
        if ctx.scratch["type"] == "UPDATE":
            _cancel_update(ctx)
        else:
            _client(ctx).delete_stack(StackName=stack.id, ClientRequestToken=ctx.token("timeout"))
        return Again(scratch={**ctx.scratch, "timed_out": True}, message=f"stopping after {limit} min")

    def _settled(self, ctx: Context, *, changed: bool, stack: LiveStack | None = None) -> Step:
        """Everything beside the change set: protection, policy, record; then the outputs."""
        new = ctx.scratch.get("type") == "CREATE"
        stack, adjusted = settle(ctx, wanted(ctx), stack, created=changed and new, executed=changed)
        done = "created" if new else "updated"
        message = done if changed else "only protection or policy changed" if adjusted else "no changes"
        return Done(outputs=stack.outputs, changed=changed or adjusted, message=message)

    def _withdraw(self, ctx: Context) -> None:
        """Delete the change set, and the empty stack that was made for it."""
        delete_change_set(_client(ctx), ctx.params.stack_name, ctx.scratch["change_set"])
        if ctx.scratch.get("shell"):
            delete_shell(_client(ctx), ctx.params.stack_name)


def _superseded(ctx: Context, stack: LiveStack, executed: ChangeSet | None) -> bool:
    """Whether the stack is another change set's work by now: this worker was away, and its lock was taken over.

    CloudFormation names the change set that was executed last; where it does not, it at least removes all older ones.
    """
    if stack.change_set_id:
        return ctx.scratch["change_set"] not in stack.change_set_id
    return executed is None


def _cancel_update(ctx: Context) -> None:
    """Ask CloudFormation to cancel; that it cannot any more (rolling back, cleaning up, done) is no error."""
    try:
        _client(ctx).cancel_update_stack(StackName=_stack_id(ctx), ClientRequestToken=ctx.token("cancel"))
    except ClientError as error:
        if error_text(error)[0] != "ValidationError":
            raise


def _client(ctx: Context) -> Any:
    return ctx.client("cloudformation")


def _stack_id(ctx: Context) -> str:
    scratch: Mapping[str, Any] = ctx.scratch
    return str(scratch.get("stack_id") or ctx.params.stack_name)


def _elapsed(ctx: Context) -> timedelta:
    since = ctx.scratch.get("since")
    return _now() - datetime.fromisoformat(since) if since else timedelta()


def _now() -> datetime:
    return datetime.now(UTC)
