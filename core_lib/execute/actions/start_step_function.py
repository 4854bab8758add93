"""AWS::StartStepFunction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import LARGEST_ANSWER, also_called, name_in_arn, parsed
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Cause, Message, Target
from core_lib.framework.redaction import redact_text

_LONGEST_CAUSE = 1000


class StartStepFunctionParams(Message):
    """Which state machine, and what it is given."""

    state_machine_arn: str = Field(
        pattern=r"^arn:[a-z-]+:states:[a-z0-9-]+:\d{12}:stateMachine:[A-Za-z0-9_.-]{1,80}$",
        validation_alias=also_called("state_machine_arn", "StateMachine"), description="ARN of a standard state machine",
    )  # fmt: skip
    input: Any = Field(default_factory=dict, description="What the execution gets, any JSON")


Context = ActionContext[StartStepFunctionParams]


class StartStepFunction(Action[StartStepFunctionParams]):
    """Runs a state machine to its end, exactly once: the execution's name is the token of the action."""

    kind = "AWS::StartStepFunction"
    purpose = "Starts an execution of a standard state machine, waits for its end and keeps its output."
    permissions = ("states:StartExecution", "states:DescribeExecution", "states:StopExecution")
    source = "https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html"
    Params = StartStepFunctionParams
    outputs: ClassVar[Mapping[str, str]] = {
        "ExecutionArn": "ARN of the execution",
        "Output": "its output; empty when that is larger than 64 KiB",
    }
    example: ClassVar[Mapping[str, Any]] = {
        "StateMachineArn": "arn:aws:states:eu-west-1:111111111111:stateMachine:migrate-data",
        "Input": {"Build": "7"},
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The state machine, and its executions that have our names."""
        _ = target, partition
        machine = name_in_arn(params, "StateMachineArn")
        executions = f"{machine.replace(':stateMachine:', ':execution:')}:core-*" if ":stateMachine:" in machine else "*"
        return {"states:*": (executions,), "states:StartExecution": (machine,)}

    def start(self, ctx: Context) -> Step:
        """Start it; that it was started before with this name is fine, in whatever state it is by now."""
        params = ctx.params
        name = ctx.token("execution")
        try:
            answer = self._client(ctx).start_execution(
                stateMachineArn=params.state_machine_arn, name=name, input=json.dumps(params.input)
            )
            arn = str(answer["executionArn"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
            arn = f"{params.state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        return Again(scratch={"arn": arn})

    def check(self, ctx: Context) -> Step:
        """Where does it stand?"""
        found = self._client(ctx).describe_execution(executionArn=ctx.scratch["arn"])
        if found["status"] in ("RUNNING", "PENDING_REDRIVE"):
            return Again()
        if found["status"] != "SUCCEEDED":
            return _failed(found)
        text = found.get("output", "")
        outputs = {"ExecutionArn": ctx.scratch["arn"], "Output": parsed(text) if text else None}
        too_large = len(text.encode()) > LARGEST_ANSWER
        return Done(outputs=outputs, message="the output is too large to be kept" if too_large else None)

    def cancel(self, ctx: Context) -> Step:
        """Stop it; how it ended is seen by the next look."""
        arn = ctx.scratch["arn"]
        client = self._client(ctx)
        client.stop_execution(executionArn=arn, error="Cancelled", cause="the run of the platform was cancelled")
        return Again(after=1, message="stopping the execution")

    def undo(self, ctx: Context) -> Step:
        """Nobody knows what an execution did."""
        _ = ctx
        return Done(changed=False, message="what an execution did cannot be undone from here")

    @staticmethod
    def _client(ctx: Context) -> Any:
        """In the region of the state machine."""
        return ctx.client("stepfunctions", region=ctx.params.state_machine_arn.split(":")[3])


def _failed(found: Mapping[str, Any]) -> Failed:
    why = ": ".join(str(found[key]) for key in ("error", "cause") if found.get(key))[:_LONGEST_CAUSE]
    cause = Cause.TIMEOUT if found["status"] == "TIMED_OUT" else Cause.PERMANENT
    return Failed(
        f"the execution ended {found['status']}: {redact_text(why) or 'no reason given'}", cause=cause,
        hint=f"look at {found['executionArn']}",
    )  # fmt: skip
