"""AWS::PutMetricData."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.steps import Again, Done, Step
from core_lib.framework.models import Message
from core_lib.helper.clock import utc_now

MOST_METRICS = 1000
MOST_BYTES = 500_000
"""AWS takes 1,000 metrics and 1 MB in a request; half of that leaves room for how the request is written."""


def _by_name(value: Any) -> Any:
    """Dimensions as CloudWatch writes them (a list of Name and Value) are taken as well as a map."""
    if isinstance(value, (list, tuple)) and all(isinstance(item, Mapping) and {"Name", "Value"} == set(item) for item in value):
        return {item["Name"]: item["Value"] for item in value}
    return value


class Metric(Message):
    """One metric: a value, or values with how often each was seen."""

    metric_name: str = Field(min_length=1, max_length=255, description="Name of the metric")
    value: float | None = Field(default=None, description="The value")
    values: tuple[float, ...] = Field(default=(), max_length=150, description="Several values at once")
    counts: tuple[float, ...] = Field(default=(), max_length=150, description="How often each of the values was seen")
    unit: str | None = Field(default=None, description="Unit of CloudWatch, e.g. Count or Seconds")
    timestamp: datetime | None = Field(default=None, description="When it was measured; default: when the action started")
    dimensions: Annotated[dict[str, str], BeforeValidator(_by_name)] = Field(
        default_factory=dict, max_length=30, description="Dimensions, by name"
    )
    storage_resolution: Literal[1, 60] | None = Field(default=None, description="1 for a high-resolution metric")

    @model_validator(mode="after")
    def _has_values(self) -> Metric:
        if (self.value is None) == (not self.values):
            raise ValueError("give either Value or Values")
        if self.counts and len(self.counts) != len(self.values):
            raise ValueError("Counts needs one count for each of the Values")
        return self

    def datum(self, at: str) -> dict[str, Any]:
        """The metric as CloudWatch takes it. `at`: when it was measured, unless it says so itself."""
        written = {
            "MetricName": self.metric_name, "Value": self.value, "Values": list(self.values), "Counts": list(self.counts),
            "Unit": self.unit, "StorageResolution": self.storage_resolution,
            "Timestamp": self.timestamp.isoformat() if self.timestamp else at,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self.dimensions.items()],
        }  # fmt: skip
        return {name: value for name, value in written.items() if value not in (None, [])}


class PutMetricDataParams(Message):
    """Which metrics."""

    namespace: str = Field(pattern=r"^[^:\s][^:]{0,254}$", description="Namespace, not one of AWS's own")
    metrics: tuple[Metric, ...] = Field(min_length=1, description="The metrics, any number")
    region: str | None = Field(default=None, description="Region of the metrics; default: that of the target")


Context = ActionContext[PutMetricDataParams]


class PutMetricData(Action[PutMetricDataParams]):
    """Sends metrics to CloudWatch, as many requests as it takes."""

    kind = "AWS::PutMetricData"
    purpose = (
        "Sends metrics to CloudWatch. CloudWatch knows no tokens: when the answer to a request is lost, it is sent again "
        "with the same times, so its samples may count twice in SampleCount and Sum; Minimum and Maximum stay right."
    )
    permissions = ("cloudwatch:PutMetricData",)
    source = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html"
    Params = PutMetricDataParams
    example: ClassVar[Mapping[str, Any]] = {
        "Namespace": "Acme/Deployments",
        "Metrics": [{"MetricName": "Deployed", "Value": 1, "Unit": "Count", "Dimensions": {"App": "shop"}}],
    }

    def start(self, ctx: Context) -> Step:
        """Settle the time of the metrics that have none."""
        _ = ctx
        return Again(after=0, scratch={"at": utc_now().isoformat(timespec="seconds"), "sent": 0})

    def check(self, ctx: Context) -> Step:
        """Send the next request. How many are sent is in the ledger before the one after it."""
        at, sent = ctx.scratch["at"], int(ctx.scratch["sent"])
        portions = list(in_portions([metric.datum(at) for metric in ctx.params.metrics]))
        client = ctx.client("cloudwatch", region=ctx.params.region)
        client.put_metric_data(Namespace=ctx.params.namespace, MetricData=portions[sent])
        if sent + 1 < len(portions):
            return Again(after=0, scratch={"at": at, "sent": sent + 1})
        return Done(message=f"{len(ctx.params.metrics)} metrics in {len(portions)} requests" if sent else None)

    def undo(self, ctx: Context) -> Step:
        """CloudWatch forgets nothing before its time."""
        _ = ctx
        return Done(changed=False, message="CloudWatch cannot delete metrics")


def in_portions(data: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The metrics in portions that fit a request, always the same ones."""
    portion: list[dict[str, Any]] = []
    size = 0
    for datum in data:
        weight = len(json.dumps(datum))
        if portion and (len(portion) == MOST_METRICS or size + weight > MOST_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(datum)
        size += weight
    yield portion
