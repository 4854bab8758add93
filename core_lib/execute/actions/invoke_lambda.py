"""AWS::InvokeLambda."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import LARGEST_ANSWER, also_called, name_in_arn, parsed
from core_lib.execute.steps import Done, Failed, Step
from core_lib.framework.models import Message, Target
from core_lib.framework.redaction import redact_text

_LONGEST_MESSAGE = 1000


class InvokeLambdaParams(Message):
    """Which function, and what it is given."""

    function_name: str = Field(min_length=1, max_length=256, description="Name or ARN of the function")
    qualifier: str | None = Field(default=None, description="Version or alias")
    payload: Any = Field(default_factory=dict, description="What the function gets, any JSON")
    mode: Literal["RequestResponse", "Event"] = Field(
        default="RequestResponse", validation_alias=also_called("mode", "InvocationType"),
        description="Wait for the answer (functions of at most a minute), or hand it over and go on",
    )  # fmt: skip
    region: str | None = Field(default=None, description="Region of the function; default: that of the target")


Context = ActionContext[InvokeLambdaParams]


class InvokeLambda(Action[InvokeLambdaParams]):
    """Calls a function. At least once: Lambda knows no request tokens, so a call whose answer is lost is made again.

    A function that must not work twice looks at `context.client_context.custom["core-token"]`: it is the same every time.
    """

    kind = "AWS::InvokeLambda"
    purpose = "Calls a Lambda function (at least once) and keeps its answer; an error in the function is a failure."
    permissions = ("lambda:InvokeFunction",)
    source = "https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"
    Params = InvokeLambdaParams
    outputs: ClassVar[Mapping[str, str]] = {
        "Payload": "what the function answered; empty when that is larger than 64 KiB",
        "StatusCode": "200, or 202 for an event",
        "ExecutedVersion": "version that ran",
    }
    example: ClassVar[Mapping[str, Any]] = {"FunctionName": "warm-the-cache", "Payload": {"Pages": ["/", "/basket"]}}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The function, in all of its versions."""
        name = name_in_arn(params, "FunctionName")
        region = params.get("Region") or target.region
        arn = name if name.startswith("arn:") else f"arn:{partition}:lambda:{region}:{target.account}:function:{name}"
        return {"lambda:*": (arn, f"{arn}:*")}

    def start(self, ctx: Context) -> Step:
        """Over at once: either with the answer, or with Lambda's word that it will call the function."""
        params = ctx.params
        arguments: dict[str, Any] = {
            "FunctionName": params.function_name, "InvocationType": params.mode, "Payload": json.dumps(params.payload).encode(),
        }  # fmt: skip
        if params.qualifier:
            arguments["Qualifier"] = params.qualifier
        if params.mode == "RequestResponse":
            custom = {"custom": {"core-token": ctx.token("invoke")}}
            arguments["ClientContext"] = base64.b64encode(json.dumps(custom).encode()).decode()
        answer = ctx.client("lambda", region=params.region).invoke(**arguments)
        text = answer["Payload"].read().decode("utf-8", errors="replace")
        if answer.get("FunctionError"):
            return Failed(
                f"the function failed: {_reason(text)}", hint=f"look at the log group /aws/lambda/{params.function_name}"
            )
        outputs = {
            "Payload": parsed(text) if text else None, "StatusCode": answer["StatusCode"],
            "ExecutedVersion": answer.get("ExecutedVersion", ""),
        }  # fmt: skip
        too_large = len(text.encode()) > LARGEST_ANSWER
        return Done(outputs=outputs, message="the answer is too large to be kept" if too_large else None)

    def undo(self, ctx: Context) -> Step:
        """Nobody knows what a function did."""
        _ = ctx
        return Done(changed=False, message="what a function did cannot be undone from here")


def _reason(text: str) -> str:
    """What the function said went wrong, without secrets."""
    answer = parsed(text)
    if isinstance(answer, Mapping) and "errorMessage" in answer:
        text = f"{answer.get('errorType', 'Error')}: {answer['errorMessage']}"
    return redact_text(text[:_LONGEST_MESSAGE])
