"""What is known of a value in a template: itself, one of several, or only that CloudFormation will compute it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

ABSENT = object()
"""There is no such property, or it is `AWS::NoValue`."""

_VARIABLE = re.compile(r"\$\{[^!}][^}]*\}")


def is_function(value: Any) -> bool:
    """Whether a value is a CloudFormation function: `{Ref: ...}`, `{Fn::...: ...}`."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    name = next(iter(value))
    return name == "Ref" or (isinstance(name, str) and name.startswith("Fn::"))


def alternatives(value: Any, parameters: Mapping[str, Any]) -> Iterator[Any]:
    """What a value may turn out to be: both arms of an `Fn::If`, the known value of a parameter, else the value itself."""
    if not is_function(value):
        yield value
        return
    name, argument = next(iter(value.items()))
    if name == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
        yield from alternatives(argument[1], parameters)
        yield from alternatives(argument[2], parameters)
    elif name == "Ref" and argument == "AWS::NoValue":
        yield ABSENT
    elif name == "Ref" and isinstance(argument, str) and argument in parameters:
        yield parameters[argument]
    else:
        yield value


def known_text(value: Any) -> str | None:
    """The text that a value has or will hold, as far as it is written: `${X}` stands for what is computed."""
    if isinstance(value, str):
        return value
    if not is_function(value):
        return None
    name, argument = next(iter(value.items()))
    if name == "Fn::Sub":
        return argument[0] if isinstance(argument, list) and argument else argument if isinstance(argument, str) else None
    if name == "Fn::Join" and isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):
        separator = argument[0] if isinstance(argument[0], str) else ""
        return separator.join(known_text(part) or "${}" for part in argument[1])
    if name == "Fn::Base64":
        return known_text(argument)
    return None


def is_whole(value: Any) -> bool:
    """Whether all of a text is known at compile time."""
    if isinstance(value, str):
        return True
    if not is_function(value):
        return False
    name, argument = next(iter(value.items()))
    if name == "Fn::Sub":
        text = known_text(value)
        return text is not None and not _VARIABLE.search(text)
    if name == "Fn::Join":
        return isinstance(argument, list) and len(argument) == 2 and all(is_whole(part) for part in argument[1])
    return name == "Fn::Base64" and is_whole(argument)


def plain(value: Any) -> str | None:
    """One spelling for what CloudFormation reads as the same: `true` and "true", 30 and "30"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return value.lower() if value in ("True", "False", "TRUE", "FALSE") else value
    return None


def refers(value: Any, logical_id: str) -> bool:
    """Whether a value refers to a resource of the template anywhere in it."""
    if isinstance(value, Mapping):
        for name, argument in value.items():
            if name == "Ref" and argument == logical_id:
                return True
            if name == "Fn::GetAtt" and _first(argument) == logical_id:
                return True
            if name == "Fn::Sub" and any(f"${{{logical_id}{end}" in (known_text(value) or "") for end in ("}", ".")):
                return True
            if refers(argument, logical_id):
                return True
        return False
    return isinstance(value, list) and any(refers(item, logical_id) for item in value)


def _first(argument: Any) -> Any:
    return argument.partition(".")[0] if isinstance(argument, str) else argument[0] if argument else None
