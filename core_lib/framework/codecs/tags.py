"""CloudFormation's short tags (`!Sub`, `!GetAtt` ...) as values that survive reading and writing.

Source: AWS CloudFormation user guide, "Intrinsic function reference" and "Rule functions".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core_lib.framework.codecs.nearest import nearest
from core_lib.framework.errors import CodecError

_WITHOUT_PREFIX = {"!Ref": "Ref", "!Condition": "Condition"}

SHORT_TAGS: dict[str, str] = _WITHOUT_PREFIX | {
    f"!{name}": f"Fn::{name}"
    for name in (
        "And", "Base64", "Cidr", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap", "GetAtt", "GetAZs",
        "If", "ImportValue", "Join", "Length", "Not", "Or", "RefAll", "Select", "Split", "Sub", "ToJsonString", "Transform",
        "ValueOf", "ValueOfAll",
    )
}  # fmt: skip
"""Every short tag with the key of its long form."""


@dataclass(frozen=True, slots=True)
class TaggedValue:
    """A value with a CloudFormation short tag: `!Sub "${A}-b"` is `TaggedValue("!Sub", "${A}-b")`."""

    tag: str
    value: Any

    def __post_init__(self) -> None:
        if self.tag not in SHORT_TAGS:
            close = nearest(self.tag, SHORT_TAGS)
            raise CodecError(f"unknown tag {self.tag[:60]!r}", hint=f"did you mean {close}?" if close else None)

    def plain(self) -> dict[str, Any]:
        """The long form of this one value: `{"Fn::Sub": ...}`; `!GetAtt a.b` becomes `["a", "b"]`."""
        value = self.value
        if self.tag == "!GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {SHORT_TAGS[self.tag]: value}


def cfn_to_plain(data: Any) -> Any:
    """A copy of `data` (a Document or plain data) with every short tag in its long form, fit for JSON.

    `!GetAtt "a.b.c"` becomes `{"Fn::GetAtt": ["a", "b.c"]}`: the logical name ends at the first dot.
    """
    data = getattr(data, "data", data)
    return _plain(data)


def _plain(data: Any) -> Any:
    if isinstance(data, TaggedValue):
        return {key: _plain(value) for key, value in data.plain().items()}
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(item) for item in data]
    return data
