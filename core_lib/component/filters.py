"""Filters that templates of component types have beside those of the renderer: pure functions of plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core_lib.framework.codecs import canonical_json, sha256_hex
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


FILTERS: Mapping[str, Callable[..., Any]] = {"digest": digest, "of_zone": of_zone}
