"""Stack sets: what all their kinds are told, and reading a set and its instances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from botocore.exceptions import ClientError
from pydantic import Field, model_validator

from core_lib.execute.stacks.live import error_text
from core_lib.framework.models import Message, Target

NAME = r"^[A-Za-z][A-Za-z0-9-]{0,127}$"
ACCOUNT = r"^[0-9]{12}$"


class OperationPreferences(Message):
    """How many instances are worked on at once, and how many failures are put up with.

    Unlike CloudFormation's own defaults (one at a time, strict) this goes as fast as it can: all regions at once, soft mode, in
    which the failure tolerance does not limit how many instances are in work.
    """

    concurrency_mode: Literal["SOFT_FAILURE_TOLERANCE", "STRICT_FAILURE_TOLERANCE"] = "SOFT_FAILURE_TOLERANCE"
    region_concurrency_type: Literal["PARALLEL", "SEQUENTIAL"] = "PARALLEL"
    region_order: tuple[str, ...] = ()
    max_concurrent_count: int | None = Field(default=None, ge=1)
    max_concurrent_percentage: int | None = Field(default=None, ge=1, le=100)
    failure_tolerance_count: int | None = Field(default=None, ge=0)
    failure_tolerance_percentage: int | None = Field(default=None, ge=0, le=100)

    @model_validator(mode="after")
    def _count_or_percentage(self) -> Self:
        for name in ("max_concurrent", "failure_tolerance"):
            if getattr(self, f"{name}_count") is not None and getattr(self, f"{name}_percentage") is not None:
                raise ValueError(f"{name} is a count or a percentage, not both")
        return self

    def as_arguments(self) -> dict[str, Any]:
        """The `OperationPreferences` of a request."""
        given = {key: value for key, value in self.as_dict().items() if value != []}
        if self.max_concurrent_count is None and self.max_concurrent_percentage is None:
            given["MaxConcurrentPercentage"] = 100
        if self.failure_tolerance_count is None and self.failure_tolerance_percentage is None:
            given["FailureToleranceCount"] = 0
        return given


class StackSetParams(Message):
    """Which stack set, and as whom."""

    stack_set_name: str = Field(pattern=NAME, description="Name of the stack set")
    call_as: Literal["SELF", "DELEGATED_ADMIN"] = Field(
        default="SELF", description="DELEGATED_ADMIN when the target is a delegated administrator of service-managed sets"
    )

    @property
    def named(self) -> dict[str, Any]:
        """The arguments that every request has."""
        return {"StackSetName": self.stack_set_name, "CallAs": self.call_as}


class StackSetOperationParams(StackSetParams):
    """Which stack set, and how its instances are worked on."""

    operation_preferences: OperationPreferences = Field(
        default_factory=OperationPreferences, description="Concurrency and failure tolerance of the operation"
    )


@dataclass(frozen=True)
class Instance:
    """One stack instance. `unit` is the organizational unit that a service-managed set put it into."""

    account: str
    region: str
    status: str
    unit: str | None = None

    @property
    def key(self) -> str:
        """`account/region`."""
        return f"{self.account}/{self.region}"


def find_stack_set(client: Any, params: StackSetParams) -> Mapping[str, Any] | None:
    """The set as CloudFormation describes it; None when there is none."""
    try:
        found: Mapping[str, Any] = client.describe_stack_set(**params.named)["StackSet"]
    except ClientError as error:
        if error_text(error)[0] == "StackSetNotFoundException":
            return None
        raise
    return None if found.get("Status") == "DELETED" else found


def instances_page(client: Any, params: StackSetParams, token: str | None) -> tuple[list[Instance], str | None]:
    """One page of the instances of a set, and the token of the next one."""
    page = client.list_stack_instances(**params.named, **({"NextToken": token} if token else {}))
    found = [
        Instance(each["Account"], each["Region"], each.get("Status", "OUTDATED"), each.get("OrganizationalUnitId") or None)
        for each in page["Summaries"]
    ]
    return found, page.get("NextToken")


def rectangles(pairs: Iterable[tuple[str, str]]) -> list[tuple[list[str], list[str]]]:
    """Accounts and regions such that every account goes with every region of its group, and no pair comes twice."""
    regions: dict[str, set[str]] = {}
    for account, region in pairs:
        regions.setdefault(account, set()).add(region)
    groups: dict[tuple[str, ...], list[str]] = {}
    for account in sorted(regions):
        groups.setdefault(tuple(sorted(regions[account])), []).append(account)
    return [(accounts, list(names)) for names, accounts in sorted(groups.items())]


def stack_set_scope(
    permissions: Iterable[str], params: Mapping[str, Any], target: Target, partition: str
) -> dict[str, tuple[str, ...]]:
    """The set and its operations' targets, for the permissions that take a stack set."""
    name = str(params.get("StackSetName", "*"))
    name = "*" if "{{" in name else name
    base = f"arn:{partition}:cloudformation:{target.region}:{target.account}"
    types = f"arn:{partition}:cloudformation:{target.region}:"
    arns = (f"{base}:stackset/{name}:*", f"{base}:stackset-target/{name}:*", f"{types}:type/resource/*")
    return {permission: arns for permission in permissions if permission.startswith("cloudformation:")}
