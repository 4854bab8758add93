"""Importing resources: what CloudFormation asks of the template, checked before anything is asked of CloudFormation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from core_lib.execute.stacks.resources import stack_resources
from core_lib.framework.codecs import load_yaml
from core_lib.framework.errors import AwsError, CodecError
from core_lib.framework.models import Message

SOURCE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html"


class ImportRefusedError(AwsError):
    """The template does not fit the import."""


class ResourceToImport(Message):
    """One existing resource, and the logical id it gets."""

    resource_type: str = Field(pattern=r"^\w+::\w+::\w+", description="Type, e.g. AWS::S3::Bucket")
    logical_resource_id: str = Field(pattern=r"^[A-Za-z0-9]+$", description="Logical id in the template")
    resource_identifier: dict[str, str] = Field(min_length=1, description="The identifying properties, e.g. BucketName")


def check_template(body: bytes, resources: Iterable[ResourceToImport], path: str) -> None:
    """Every resource must be in the template, of that type and with a DeletionPolicy.

    What a transform adds to the template is not known here and is left to CloudFormation.

    Raises:
        ImportRefusedError: what is wrong with which resource.
    """
    try:
        template = load_yaml(body.decode("utf-8"), path).data
    except (CodecError, UnicodeDecodeError) as error:
        raise ImportRefusedError(f"the template cannot be read: {error}", where=path) from error
    declared = template.get("Resources", {}) if isinstance(template, Mapping) else {}
    faults = [fault for each in resources for fault in _faults(each, declared, "Transform" in template)]
    if faults:
        raise ImportRefusedError(
            f"the template does not fit the import: {'; '.join(faults)}",
            where=path,
            hint=f"an imported resource needs a DeletionPolicy, e.g. DeletionPolicy: Retain ({SOURCE})",
        )


def still_missing(client: Any, stack: str, resources: Iterable[ResourceToImport]) -> list[ResourceToImport]:
    """Those of the resources that are not in the stack yet; all of them when there is no stack."""
    present = {found.logical_id for found in stack_resources(client, stack) if not found.gone}
    return [each for each in resources if each.logical_resource_id not in present]


def _faults(wanted: ResourceToImport, declared: Mapping[str, Any], transformed: bool) -> Iterable[str]:
    name = wanted.logical_resource_id
    found = declared.get(name)
    if not isinstance(found, Mapping):
        if not transformed:
            yield f"{name} is not in it"
        return
    if found.get("Type") != wanted.resource_type:
        yield f"{name} is of type {found.get('Type')}, not {wanted.resource_type}"
    if not found.get("DeletionPolicy"):
        yield f"{name} has no DeletionPolicy"
