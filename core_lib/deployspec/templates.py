"""Templates of stacks: read once, and held against the parameters and outputs that the actions use.

Source: AWS CloudFormation user guide, "Parameters" and "Outputs".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import regex

from core_lib.framework.codecs import cfn_to_plain, load_document, nearest, sha256_hex
from core_lib.framework.errors import CodecError, PackageError, TemplateError
from core_lib.framework.package import Package

_PATTERN_SECONDS = 0.2
_LONGEST_VALUE = 4096
_LARGEST_TEMPLATE = 1024 * 1024
_MAPS = ("Conditions", "Globals", "Mappings", "Metadata", "Rules")
_SSM = "AWS::SSM::Parameter::"


@dataclass(frozen=True)
class TemplateParameter:
    """One entry of a template's `Parameters`."""

    name: str
    type: str
    has_default: bool
    rules: Mapping[str, Any]


@dataclass(frozen=True)
class Template:
    """What the compiler needs to know about a template. `outputs` is None when a transform may add some."""

    path: str
    sha256: str
    content: bytes
    parameters: Mapping[str, TemplateParameter]
    outputs: frozenset[str] | None


def read_template(package: Package, path: str) -> Template:
    """A template of the package.

    Raises:
        TemplateError: not there, not readable, or not a template.
    """
    try:
        content = package.read(path)
        if len(content) > _LARGEST_TEMPLATE:
            raise TemplateError(
                f"the template has {len(content)} bytes, CloudFormation takes at most {_LARGEST_TEMPLATE}", where=path
            )
        document = load_document(content, path)
    except PackageError as error:
        raise TemplateError(error.message, hint=error.hint) from error
    except CodecError as error:
        raise TemplateError(
            f"the template cannot be read: {error.message}", where=error.where or path, hint=error.hint
        ) from error
    data = cfn_to_plain(document)
    if not isinstance(data, dict) or not isinstance(data.get("Resources"), dict) or not data["Resources"]:
        raise TemplateError("a template is a map with 'Resources'", where=document.locate())
    for section in _MAPS:
        _section(data, section, document.locate)
    parameters = _section(data, "Parameters", document.locate)
    for name, body in parameters.items():
        if not isinstance(body, dict) or not isinstance(body.get("Type"), str):
            raise TemplateError(f"parameter {name!r} has no Type", where=document.locate(("Parameters", name)))
    outputs = _section(data, "Outputs", document.locate)
    is_open = "Transform" in data or any(name.startswith("Fn::") for name in outputs)
    return Template(
        path,
        sha256_hex(content),
        content,
        {name: TemplateParameter(name, body["Type"], "Default" in body, body) for name, body in parameters.items()},
        None if is_open else frozenset(outputs),
    )


def _section(data: Mapping[str, Any], name: str, locate: Callable[[tuple[str]], str]) -> Mapping[str, Any]:
    section = data.get(name) or {}
    if not isinstance(section, dict):
        raise TemplateError(f"{name!r} is not a map", where=locate((name,)))
    return section


def parameter_text(value: Any) -> str | None:
    """A parameter's value as CloudFormation takes it: text; lists joined with commas. None = has no such form."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        items = [parameter_text(item) for item in value if not isinstance(item, (list, tuple))]
        return ",".join(item for item in items if item is not None) if None not in items and len(items) == len(value) else None
    return None


def parameter_faults(
    template: Template, values: Mapping[str, str], is_runtime: Callable[[str], bool]
) -> Iterator[tuple[str, str]]:
    """What is wrong with these values for this template, as (parameter, fault). Values known only at run time are passed over."""
    for name, value in values.items():
        parameter = template.parameters.get(name)
        if parameter is None:
            near = nearest(name, template.parameters)
            advice = f"; did you mean {near!r}?" if near else ""
            yield name, f"{template.path} declares no parameter {name!r}{advice}"
        elif not is_runtime(value) and (fault := _value_fault(parameter, value)):
            yield name, f"parameter {name!r} of {template.path} {fault}"
    for name, parameter in template.parameters.items():
        if name not in values and not parameter.has_default:
            yield name, f"parameter {name!r} of {template.path} has no value and no default"


def _value_fault(parameter: TemplateParameter, value: str) -> str | None:
    if len(value.encode()) > _LONGEST_VALUE:
        return f"is longer than {_LONGEST_VALUE} bytes"
    if parameter.type.startswith(_SSM):
        return None
    is_list = parameter.type == "CommaDelimitedList" or parameter.type.startswith("List<")
    for item in [part.strip() for part in value.split(",")] if is_list else [value]:
        if fault := _item_fault(parameter, item):
            return fault
    return None


def _item_fault(parameter: TemplateParameter, item: str) -> str | None:
    shown = "(hidden)" if str(parameter.rules.get("NoEcho", "")).lower() == "true" else repr(item[:60])
    if parameter.type in ("Number", "List<Number>"):
        return _number_fault(parameter.rules, item, shown)
    rules = parameter.rules
    allowed = rules.get("AllowedValues")
    if isinstance(allowed, list) and item not in [parameter_text(entry) for entry in allowed]:
        return f"is {shown}, allowed are {', '.join(str(entry) for entry in allowed[:10])}"
    shortest, longest = _number(rules.get("MinLength")), _number(rules.get("MaxLength"))
    if shortest is not None and len(item) < shortest:
        return f"is {shown}, at least {shortest:g} characters are needed"
    if longest is not None and len(item) > longest:
        return f"is {shown}, at most {longest:g} characters are allowed"
    pattern = rules.get("AllowedPattern")
    if isinstance(pattern, str) and not _matches(pattern, item):
        return f"is {shown}, which does not match {pattern}"
    return None


def _number_fault(rules: Mapping[str, Any], item: str, shown: str) -> str | None:
    number = _number(item)
    if number is None or not math.isfinite(number):
        return f"is {shown}, a number is needed"
    allowed = rules.get("AllowedValues")
    if isinstance(allowed, list) and number not in [_number(entry) for entry in allowed]:
        return f"is {shown}, allowed are {', '.join(str(entry) for entry in allowed[:10])}"
    least, most = _number(rules.get("MinValue")), _number(rules.get("MaxValue"))
    if least is not None and number < least:
        return f"is {shown}, at least {least:g} is needed"
    if most is not None and number > most:
        return f"is {shown}, at most {most:g} is allowed"
    return None


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches. A pattern that Python cannot read, or that takes too long, is left to CloudFormation."""
    try:
        return regex.fullmatch(pattern, text, timeout=_PATTERN_SECONDS) is not None
    except (regex.error, TimeoutError):
        return True
