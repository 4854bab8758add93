"""Fn::Pipeline::ImageId."""

from __future__ import annotations

from typing import Any, ClassVar

from core_lib.component.functions.function import Argument, Call, Function
from core_lib.component.images import image_value

_LITERALS = ("ami-", "resolve:ssm:", "/aws/service/")


class ImageId(Function):
    """A machine image by its alias."""

    name = "ImageId"
    purpose = (
        "The machine image of an alias: fact `ImageAliases` of the region or the app. `resolve:ssm:...` is read at deployment."
    )
    arguments = (
        Argument("Name", "The alias; `ami-...` and a parameter `/aws/service/...` are taken as they are.", required=True),
    )
    example: ClassVar[Any] = {"Name": "amazon-linux-2023"}

    def value(self, call: Call) -> str:
        """`ami-...`, or a dynamic reference."""
        name = call.text("Name")
        aliases = call.facts.get("ImageAliases") or {}
        if name in aliases:
            return image_value(str(aliases[name]))
        if name.startswith(_LITERALS):
            return image_value(name)
        raise call.unknown("Name", "image alias", name, aliases)
