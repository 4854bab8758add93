"""Filters that templates of component types have beside those of the renderer: pure functions of plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from core_lib.component import naming
from core_lib.component.images import image_alias, image_family
from core_lib.framework.codecs import canonical_json, cfn_to_plain, load_document, sha256_hex
from core_lib.framework.errors import RenderError

_DIGEST = 10


def of_zone(subnets: Mapping[str, Any], wanted: Any, *usual: str) -> Any:
    """The subnets of the zone `wanted`, else of the first of the `usual` zones that there is.

    Raises:
        RenderError: there are none.
    """
    asked = [wanted] if wanted else list(usual)
    for zone in asked:
        if subnets.get(zone):
            return subnets[zone]
    known = ", ".join(sorted(subnets)) or "none"
    raise RenderError(
        f"no subnets of the zone {' or '.join(map(str, asked))} are known",
        hint=f"zones of the fact SubnetAliases: {known}; choose one with Options: {{NetworkZone: ...}}",
    )


def digest(value: Any) -> str:
    """Ten hex digits that change when the value does: for names of resources that must be made anew then."""
    return sha256_hex(canonical_json(value))[:_DIGEST]


def cfn_template(text: str) -> dict[str, Any]:
    """A template of CloudFormation, YAML or JSON, as plain data: `{{ "files/x.yaml" | read_file | cfn_template }}`.

    Raises:
        RenderError: it is no template.
        CodecError: it cannot be read.
    """
    read = cfn_to_plain(load_document(str(text), "own.template"))
    if not isinstance(read, dict) or not isinstance(read.get("Resources"), dict):
        raise RenderError("that is no template of CloudFormation: it has no Resources")
    return read


def bucket_name(base: str, account: str, region: str) -> str:
    """The name of a bucket that nobody else in AWS has: `{{ names.build | bucket_name(AwsAccountId, AwsRegion) }}`."""
    return naming.bucket_name(str(base), str(account), str(region))


def without(value: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The map without the keys of these names."""
    return {key: item for key, item in value.items() if key not in names}


def as_lines(value: Mapping[str, Any]) -> list[Any]:
    """A map as lines `NAME=value`; a line whose value CloudFormation knows is a Fn::Join. No value takes more than one line."""
    return [
        {"Fn::Join": ["", [f"{name}=", item]]} if isinstance(item, Mapping) else f"{name}={' '.join(str(item).splitlines())}"
        for name, item in value.items()
    ]


def named(value: Any, names: Iterable[str]) -> Any:
    """`{Ref: X}` when the value is the text X and X is one of the names, else the value itself."""
    return {"Ref": value} if isinstance(value, str) and value in names else value


FILTERS: Mapping[str, Callable[..., Any]] = {
    "as_lines": as_lines,
    "bucket_name": bucket_name,
    "cfn_template": cfn_template,
    "digest": digest,
    "image_alias": image_alias,
    "image_family": image_family,
    "named": named,
    "of_zone": of_zone,
    "without": without,
}
