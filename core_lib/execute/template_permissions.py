"""What CloudFormation needs to create, read, update and delete the resources of a template.

The types tell it themselves (`handlers.*.permissions` of their schemas), and cfn-lint brings the schemas along:
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from core_lib.framework.codecs import load_document

_REGION = "us-east-1"
_HANDLERS = ("create", "read", "update", "delete")
_PERMISSION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9*]+")


def template_permissions(body: bytes, source: str) -> tuple[frozenset[str], frozenset[str]]:
    """Permissions, and the resource types that do not tell theirs (custom resources, nested stacks, types without a schema).

    Raises CodecError when the template cannot be read.
    """
    permissions: set[str] = set()
    unknown: set[str] = set()
    for name in _resource_types(load_document(body, source).data):
        told = _told_by(name)
        permissions |= told
        if not told:
            unknown.add(name)
    return frozenset(permissions), frozenset(unknown)


def _resource_types(template: Any) -> set[str]:
    resources = template.get("Resources") if isinstance(template, Mapping) else None
    found = resources.values() if isinstance(resources, Mapping) else ()
    return {str(resource["Type"]) for resource in found if isinstance(resource, Mapping) and "Type" in resource}


@cache
def _told_by(name: str) -> frozenset[str]:
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    if name not in PROVIDER_SCHEMA_MANAGER.get_resource_types(_REGION):
        return frozenset()
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, name).schema
    handlers = schema.get("handlers", {})
    told = (text for handler in _HANDLERS for text in handlers.get(handler, {}).get("permissions", ()))
    return frozenset(text for text in told if _PERMISSION.fullmatch(text))
