"""What the shared templates `pointers` and `release` see beside the usual names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core_lib.component.library import ComponentType
from core_lib.component.naming import Names


def pointing(
    found: ComponentType,
    names: Names,
    *,
    outputs: Iterable[str],
    made: Iterable[str],
    persisted: str | None = None,
    key_stack: str | None = None,
) -> dict[str, Any]:
    """The names for one component.

    Args:
        found: its type.
        names: its names.
        outputs: names of the outputs of its stage resources.
        made: the stages that it has.
        persisted: the stack whose resources it uses instead of its own.
        key_stack: the stack with the application's key, when it lies in the same account and region.
    """
    stages = set(made)
    resources = persisted or names.stacks["resources"]
    held: dict[str, str] = {}
    if persisted is not None or "resources" in stages:
        held["Resources"] = resources
    if "security" in stages:
        held["Security"] = names.stacks["security"]
    if key_stack is not None:
        held["Key"] = key_stack
    return {
        "outputs_of_resources": sorted(set(outputs) - {"Anchor"}),
        "resources_stack": resources,
        "held": held,
        "endpoint": _endpoint(found),
    }


def _endpoint(found: ComponentType) -> Mapping[str, Any] | None:
    endpoint = found.file.endpoint
    return None if endpoint is None else {"Name": endpoint.name, "ZoneId": endpoint.zone_id}
