"""What a template needs from the world, and what it brings: exports, SSM parameters, roles. A pure reading of its text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.framework.codecs import cfn_to_plain, load_yaml
from core_lib.framework.errors import CodecError

_DYNAMIC = re.compile(r"\{\{resolve:ssm(?:-secure)?:([A-Za-z0-9_.\-/]+)(?::\d+)?\}\}")
_SUBSTITUTE = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True)
class Needs:
    """What was found in a template. `open_*`: it makes some whose names only CloudFormation can tell, so that nobody can say
    that one is missing."""

    imports: frozenset[str] = frozenset()
    exports: frozenset[str] = frozenset()
    open_exports: bool = False
    ssm: frozenset[str] = frozenset()
    makes_ssm: frozenset[str] = frozenset()
    open_ssm: bool = False
    makes_roles: bool = False


def needs_of(template: bytes, parameters: Mapping[str, str], place: Mapping[str, str]) -> Needs:
    """Read a template with these parameter values. `place`: pseudo parameters such as `AWS::Region`.

    What cannot be read needs nothing: CloudFormation will say what is wrong with it.
    """
    try:
        found = cfn_to_plain(load_yaml(template, "template"))
    except CodecError:
        return Needs()
    declared = _members(found, "Parameters")
    defaults = {name: str(item["Default"]) for name, item in declared.items() if "Default" in item}
    values = {**place, **defaults, **parameters}
    imports = {_text(item, values) for item in _under(found, "Fn::ImportValue")}
    exported = [item["Export"] for item in _members(found, "Outputs").values() if item.get("Export")]
    exports = [_text(_mapping(item).get("Name"), values) for item in exported]
    resources = list(_members(found, "Resources").values())
    written = [_mapping(item.get("Properties")) for item in resources if item.get("Type") == "AWS::SSM::Parameter"]
    made = [_text(item.get("Name"), values) for item in written]
    return Needs(
        imports=frozenset(name for name in imports if name),
        exports=frozenset(name for name in exports if name),
        open_exports=None in exports,
        ssm=frozenset(_ssm_names(template, declared, values)),
        makes_ssm=frozenset(name for name in made if name),
        open_ssm=None in made,
        makes_roles=any(item.get("Type") == "AWS::IAM::Role" for item in resources),
    )


def _ssm_names(template: bytes, declared: Mapping[str, Mapping[str, Any]], values: Mapping[str, str]) -> Iterator[str]:
    for name, item in declared.items():
        follows = str(item.get("Type", "")).startswith("AWS::SSM::Parameter::")
        if follows and values.get(name) and not values[name].startswith("arn:"):
            yield values[name].partition(":")[0]
    yield from _DYNAMIC.findall(template.decode("utf-8", "replace"))


def _text(value: Any, values: Mapping[str, str]) -> str | None:
    """A name as CloudFormation will see it; None when it takes more than parameters to tell."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    ((function, argument),) = value.items()
    if function == "Ref":
        return values.get(str(argument))
    if function == "Fn::Sub" and isinstance(argument, str):
        names = _SUBSTITUTE.findall(argument)
        if all(name in values for name in names):
            return _SUBSTITUTE.sub(lambda found: values[found.group(1)], argument)
    if function == "Fn::Join" and isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):
        parts = [_text(part, values) for part in argument[1]]
        return None if None in parts else str(argument[0]).join(str(part) for part in parts)
    return None


def _under(value: Any, key: str) -> Iterator[Any]:
    """Everything that stands under this key, anywhere."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == key:
                yield item
            yield from _under(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _under(item, key)


def _members(template: Any, section: str) -> dict[str, Mapping[str, Any]]:
    """The entries of a section that are what they should be."""
    found = _mapping(_mapping(template).get(section))
    return {str(name): item for name, item in found.items() if isinstance(item, Mapping)}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
