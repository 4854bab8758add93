"""`Include` of a `type.yaml`: what several types have in common, written once in `_shared`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core_lib.framework.codecs import Document, load_document
from core_lib.framework.errors import SchemaError

KEY = "Include"


def with_included(document: Document, shared: Mapping[str, bytes]) -> Document:
    """The document with the shared files under it that its `Include` names; the later file wins, and the document over all.

    Raises:
        SchemaError: there is no such shared file.
        CodecError: one cannot be read.
    """
    if not isinstance(document.data, Mapping) or KEY not in document.data:
        return document
    names = document.data[KEY]
    whole: dict[str, Any] = {}
    for name in [names] if isinstance(names, str) else names:
        if name not in shared:
            raise SchemaError(f"there is no shared file {name!r} to include", where=document.locate((KEY,)))
        whole = _over(whole, load_document(shared[name], f"_shared/{name}").data)
    own = {key: value for key, value in document.data.items() if key != KEY}
    return document.holding(_over(whole, own))


def _over(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Maps merge, key by key; everything else replaces."""
    made = dict(base)
    for key, value in more.items():
        below = made.get(key)
        made[key] = _over(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return made
