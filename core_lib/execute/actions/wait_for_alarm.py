"""AWS::WaitForAlarm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import Texts, also_called, names_in_arn
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Message, Target
from core_lib.helper.clock import utc_now

LOOK_SECONDS = 10.0
"""CloudWatch evaluates no alarm more often."""

_PAGE = 100


class WaitForAlarmParams(Message):
    """Which alarms, and what they have to show."""

    alarm_names: Texts = Field(
        min_length=1, max_length=500, validation_alias=also_called("alarm_names", "AlarmName", "Alarms"),
        description="Names of metric or composite alarms",
    )  # fmt: skip
    watch: timedelta | None = Field(
        default=None, ge=timedelta(0), le=timedelta(days=2), description="For so long (PT10M) no alarm may go off"
    )
    until: Literal["OK"] | None = Field(default=None, description="First wait until all alarms are OK")
    insufficient_data: Literal["ok", "wait", "fail"] = Field(
        default="ok", description="Alarms without data: as good as OK, not OK yet, or a failure"
    )
    region: str | None = Field(default=None, description="Region of the alarms; default: that of the target")

    @model_validator(mode="after")
    def _one_of_them(self) -> WaitForAlarmParams:
        if self.watch is None and self.until is None:
            raise ValueError("give Watch, Until or both")
        return self


Context = ActionContext[WaitForAlarmParams]


class WaitForAlarm(Action[WaitForAlarmParams]):
    """A gate of a rollout. With `Until` it waits until all alarms are OK; with `Watch` it fails as soon as one goes off."""

    kind = "AWS::WaitForAlarm"
    purpose = "Waits until CloudWatch alarms are OK, or watches them for a time and fails at once when one goes off."
    permissions = ("cloudwatch:DescribeAlarms",)
    source = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html"
    Params = WaitForAlarmParams
    outputs: ClassVar[Mapping[str, str]] = {"States": "the last state of each alarm, by name"}
    example: ClassVar[Mapping[str, Any]] = {"AlarmNames": ["shop-5xx", "shop-latency"], "Watch": "PT10M"}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The alarms by name."""
        region = params.get("Region") or target.region
        arn = f"arn:{partition}:cloudwatch:{region}:{target.account}:alarm:"
        return {"cloudwatch:*": tuple(arn + name for name in names_in_arn(params, "AlarmNames"))}

    def start(self, ctx: Context) -> Step:
        """The first look."""
        return self._look(ctx, "settling" if ctx.params.until else "watching", utc_now())

    def check(self, ctx: Context) -> Step:
        """The next one."""
        return self._look(ctx, ctx.scratch["phase"], datetime.fromisoformat(ctx.scratch["since"]))

    def cancel(self, ctx: Context) -> Step:
        """At once."""
        _ = ctx
        return Done(changed=False, message="watched no longer")

    def _look(self, ctx: Context, phase: str, since: datetime) -> Step:
        alarms = {alarm["name"]: alarm for alarm in _alarms(self._client(ctx), ctx.params.alarm_names)}
        gone = [name for name in ctx.params.alarm_names if name not in alarms]
        if gone:
            return Failed(f"there is no alarm {', '.join(gone)}", hint="check the names, and the region the alarms are in")
        off = [name for name, alarm in alarms.items() if alarm["state"] == "ALARM"]
        silent = [name for name, alarm in alarms.items() if alarm["state"] == "INSUFFICIENT_DATA"]
        if off and phase == "watching":
            return Failed(f"an alarm went off: {_told(alarms[name] for name in off)}")
        if silent and ctx.params.insufficient_data == "fail":
            return Failed(f"alarms have no data: {', '.join(silent)}", hint="InsufficientData: ok or wait puts up with that")
        waiting = off + (silent if ctx.params.insufficient_data == "wait" else [])
        if waiting:
            return self._again(phase, since, f"waits for {', '.join(waiting)}")
        if phase == "settling":
            phase, since = "watching", utc_now()
        remaining = ((ctx.params.watch or timedelta()) - (utc_now() - since)).total_seconds()
        if remaining > 0:
            return self._again(phase, since, f"watches {len(alarms)} alarms", remaining)
        return Done(outputs={"States": {name: alarm["state"] for name, alarm in alarms.items()}}, changed=False)

    @staticmethod
    def _again(phase: str, since: datetime, message: str, at_most: float = LOOK_SECONDS) -> Again:
        scratch = {"phase": phase, "since": since.isoformat()}
        return Again(after=min(LOOK_SECONDS, at_most), scratch=scratch, message=message)

    @staticmethod
    def _client(ctx: Context) -> Any:
        return ctx.client("cloudwatch", region=ctx.params.region)


def _alarms(cloudwatch: Any, names: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Name, state and reason of those alarms that exist."""
    kinds = ("MetricAlarms", "CompositeAlarms")
    for first in range(0, len(names), _PAGE):
        answer = cloudwatch.describe_alarms(
            AlarmNames=list(names[first : first + _PAGE]), AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=_PAGE
        )
        for alarm in (alarm for kind in kinds for alarm in answer.get(kind, ())):
            yield {"name": alarm["AlarmName"], "state": alarm["StateValue"], "reason": alarm.get("StateReason", "")}


def _told(alarms: Iterator[Mapping[str, str]]) -> str:
    return "; ".join(f"{alarm['name']}: {alarm['reason']}" if alarm["reason"] else alarm["name"] for alarm in alarms)
