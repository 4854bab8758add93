"""Schemas of CloudFormation's resource types, read from the data that cfn-lint ships, without loading cfn-lint itself.

Source: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from core_lib.framework.errors import TemplateError

_REGION = "us-east-1"
"""Its list of types is the longest; whether a region has a type is cfn-lint's question."""


@cache
def _folder() -> Path:
    """Found without importing the package, which takes seconds."""
    spec = find_spec("cfnlint")
    if spec is None or not spec.submodule_search_locations:
        raise TemplateError("cfn-lint is not installed", hint="it brings the schemas of CloudFormation's resources")
    return Path(spec.submodule_search_locations[0]) / "data" / "schemas"


@cache
def _known() -> Mapping[str, str]:
    listed: dict[str, str] = json.loads((_folder() / "providers" / f"{_REGION}.json").read_bytes())
    return listed


@cache
def resource_schema(name: str) -> Mapping[str, Any] | None:
    """The schema of a resource type such as `AWS::S3::Bucket`; None when CloudFormation has no such type."""
    digest = _known().get(name)
    if digest is None:
        return None
    found: dict[str, Any] = json.loads((_folder() / "resources" / f"{digest}.json").read_bytes())
    return found


def resource_types() -> tuple[str, ...]:
    """Every resource type, sorted."""
    return tuple(sorted(_known()))


def resolved(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part of a schema with its `$ref` followed."""
    for _ in range(10):
        reference = part.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return part
        found: Any = schema
        for step in reference[2:].split("/"):
            found = found.get(step, {}) if isinstance(found, Mapping) else {}
        part = found
    return part


TagStyle = Literal["list", "list-at-launch", "map"]


@cache
def tag_property(name: str) -> tuple[str, TagStyle] | None:
    """The property of a resource type that takes tags, and how: a list of Key and Value, or a map; None when it takes none."""
    schema = resource_schema(name)
    if schema is None:
        return None
    told = schema.get("tagging", {})
    if told.get("taggable") is False:
        return None
    path = str(told.get("tagProperty", "/properties/Tags")).removeprefix("/properties/")
    part = resolved(schema, schema.get("properties", {}).get(path, {}))
    kind = part.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind):
        return path, "map"
    item = resolved(schema, part.get("items", {})) if isinstance(part.get("items"), Mapping) else {}
    names = set(item.get("properties", {}))
    if {"Key", "Value"} <= names:
        return path, "list-at-launch" if "PropagateAtLaunch" in names else "list"
    return None
