"""Machine images: what the values of the fact ImageAliases stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DYNAMIC = "resolve:ssm:"
_PUBLIC_PARAMETERS = "/aws/service/"


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
