"""Looking for drift: one detection per stack, nested stacks after the stack that holds them, then the resources that differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.stacks.live import error_text
from core_lib.execute.stacks.resources import NESTED, stack_resources
from core_lib.framework.models import PropertyDrift, ResourceDrift
from core_lib.framework.redaction import MASK, is_secret_name, redact_text

LONGEST_VALUE = 256
_DRIFTED = ["MODIFIED", "DELETED"]
_CANNOT = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS", "UPDATE_FAILED")


class DetectionRefusedError(Exception):
    """CloudFormation does not look for drift in this stack, and says why."""


def why_not(status: str) -> str | None:
    """Why a stack in this status cannot be looked at; None when it can."""
    if status in _CANNOT or status.endswith("_IN_PROGRESS"):
        return f"the stack is {status}"
    return None


def begin_detection(client: Any, stack_id: str, logical_ids: Iterable[str]) -> str | None:
    """The id of a detection that begins now; None when one is running already. Raises DetectionRefusedError."""
    only = {"LogicalResourceIds": list(logical_ids)} if logical_ids else {}
    try:
        return str(client.detect_stack_drift(StackName=stack_id, **only)["StackDriftDetectionId"])
    except ClientError as error:
        code, message = error_text(error)
        if code != "ValidationError":
            raise
        if "already in progress" in message.lower():
            return None
        raise DetectionRefusedError(message) from error


def nested_stacks(client: Any, stack_id: str, path: str) -> list[dict[str, str]]:
    """The stacks directly below a stack: their ids, and their paths of logical ids."""
    return [
        {"id": resource.physical_id, "path": f"{path}.{resource.logical_id}" if path else resource.logical_id}
        for resource in stack_resources(client, stack_id)
        if resource.resource_type == NESTED and resource.physical_id and not resource.gone
    ]


def drifted_resources(client: Any, stack_id: str, path: str, token: str | None) -> tuple[list[ResourceDrift], str | None]:
    """One page of the resources that differ, and the token of the next one."""
    more = {"NextToken": token} if token else {}
    page = client.describe_stack_resource_drifts(StackName=stack_id, StackResourceDriftStatusFilters=_DRIFTED, **more)
    return [_resource(found, path) for found in page["StackResourceDrifts"]], page.get("NextToken")


def _resource(found: Mapping[str, Any], path: str) -> ResourceDrift:
    return ResourceDrift(
        logical_id=found["LogicalResourceId"],
        resource_type=found["ResourceType"],
        status=found["StackResourceDriftStatus"],
        physical_id=found.get("PhysicalResourceId"),
        stack=path,
        properties=tuple(_property(each) for each in found.get("PropertyDifferences", ())),
    )


def _property(found: Mapping[str, Any]) -> PropertyDrift:
    path = found["PropertyPath"]
    return PropertyDrift(
        path=path,
        kind=found["DifferenceType"],
        expected=_value(path, found.get("ExpectedValue")),
        actual=_value(path, found.get("ActualValue")),
    )


def _value(path: str, value: str | None) -> str | None:
    """A value fit to be kept: no secrets, not too long."""
    if value is None or value == "null":
        return None
    if any(is_secret_name(part) for part in path.split("/")):
        return MASK
    text = redact_text(_without_secrets(value))
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."


def _without_secrets(value: str) -> str:
    """A structure (CloudFormation sends those as JSON) with everything masked that is called like a secret."""
    if not value.startswith(("{", "[")):
        return value
    try:
        document = json.loads(value)
    except ValueError:
        return value
    return json.dumps(_masked(document))


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: MASK if is_secret_name(str(key)) else _masked(item) for key, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value
