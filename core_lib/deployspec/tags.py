"""Tags of a stack: what CloudFormation takes. (Which tags there are: the facts' tags for the scope, then the action's own.)"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core_lib.deployspec.templates import parameter_text
from core_lib.framework.errors import SchemaError

MOST_TAGS = 50
_LONGEST_KEY, _LONGEST_VALUE = 128, 256


def check_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """Tags as CloudFormation takes them, sorted by key.

    Raises:
        SchemaError: a value that is not text, a reserved or too long key, too many tags.
    """
    checked: dict[str, str] = {}
    for key, value in sorted(tags.items()):
        text = parameter_text(value) if not isinstance(value, (list, tuple)) else None
        if text is None:
            raise SchemaError(f"the value of tag {key!r} is not text")
        if key.lower().startswith("aws:"):
            raise SchemaError(f"tag {key!r} starts with 'aws:', which AWS keeps for itself")
        if not key or len(key) > _LONGEST_KEY:
            raise SchemaError(f"a tag's key has 1 to {_LONGEST_KEY} characters: {key[:40]!r}")
        if len(text) > _LONGEST_VALUE and "{{" not in text:
            raise SchemaError(f"the value of tag {key!r} is longer than {_LONGEST_VALUE} characters")
        checked[key] = text
    if len(checked) > MOST_TAGS:
        raise SchemaError(f"{len(checked)} tags, CloudFormation takes {MOST_TAGS}")
    return checked
