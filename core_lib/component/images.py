"""Machine images: what the values of the fact ImageAliases stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_DYNAMIC = "resolve:ssm:"
_PUBLIC_PARAMETERS = "/aws/service/"
_FAMILIES = {
    "windows": re.compile(r"(?<![a-z])win(?![a-z])|windows"),
    "amazon": re.compile(r"amazon|amzn|(?<![a-z])al20\d\d"),
    "ubuntu": re.compile(r"ubuntu"),
    "debian": re.compile(r"debian"),
    "rhel": re.compile(r"rhel|red-?hat|centos|rocky|alma"),
    "suse": re.compile(r"suse|sles"),
}


def image_value(given: str) -> str:
    """`ami-...` as it is; a parameter of Systems Manager as CloudFormation's dynamic reference, which is read at deployment.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm.html
    """
    if given.startswith(_DYNAMIC):
        return f"{{{{{given}}}}}"
    return f"{{{{{_DYNAMIC}{given}}}}}" if given.startswith(_PUBLIC_PARAMETERS) else given


def image_alias(image: Any, aliases: Mapping[str, Any] | None) -> str | None:
    """The alias that an image was named by: `{{ properties.ImageId | image_alias(facts.ImageAliases) }}`; None when it has none.

    Of several aliases of one image the first by name.
    """
    return next((alias for alias, known in sorted((aliases or {}).items()) if image_value(str(known)) == image), None)


def image_family(image: Any, aliases: Mapping[str, Any] | None) -> str:
    """What an image is made of (windows, amazon, ubuntu, debian, rhel, suse), as far as its names tell; else empty.

    Args:
        image: its id, or another value of CloudFormation.
        aliases: the fact ImageAliases; the names that stand for this image are looked at.
    """
    names = [alias for alias, known in sorted((aliases or {}).items()) if image_value(str(known)) == image]
    told = " ".join((*names, *_texts(image))).lower()
    return next((family for family, pattern in _FAMILIES.items() if pattern.search(told)), "")


def _texts(value: Any) -> list[str]:
    """All texts in a value."""
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
