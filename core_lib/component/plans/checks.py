"""Checks of a build before it is released: `Check` in a component's Options.

Check: {Path: /health}                      a request to the build's own address
Check: {Url: "https://...", Statuses: [200], Within: PT5M}
Check: {Lambda: shop-smoke-test, Payload: {...}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.component.model import Compiled
from core_lib.component.plans.blueprint import Blueprint
from core_lib.framework.errors import SchemaError

CHECK = "check"
HTTP = "SYSTEM::HttpRequest"
LAMBDA = "AWS::InvokeLambda"
_WAYS = ("Path", "Url", "Lambda")
_WITHIN = "PT5M"


@dataclass(frozen=True)
class Check:
    """A check as an action."""

    kind: str
    spec: Mapping[str, Any]


def check_of(blueprint: Blueprint, compiled: Compiled) -> Check | None:
    """The check of a component; None when it has none.

    Raises:
        SchemaError: it cannot be understood.
    """
    written = compiled.component.options.get("Check")
    if written is None:
        return None
    where = compiled.component.locate(("Options", "Check"))
    ways = [way for way in _WAYS if isinstance(written, Mapping) and way in written]
    if len(ways) != 1:
        raise SchemaError("a Check has one of Path, Url and Lambda", where=where, hint="e.g. Check: {Path: /health}")
    if ways == ["Lambda"]:
        spec = {"FunctionName": written["Lambda"], "Payload": written.get("Payload") or {"Build": blueprint.build}}
        return Check(LAMBDA, spec)
    url = written["Url"] if ways == ["Url"] else _own_address(compiled, str(written["Path"]), where)
    asked: dict[str, Any] = {"Url": url, "Poll": {"Every": "PT5S", "Within": written.get("Within", _WITHIN)}}
    if "Statuses" in written:
        asked["ExpectedStatuses"] = written["Statuses"]
    return Check(HTTP, asked)


def _own_address(compiled: Compiled, path: str, where: str) -> str:
    pointers = compiled.stages.get("pointers")
    if pointers is None or "BuildDnsName" not in (pointers.body.get("Outputs") or {}):
        raise SchemaError(
            "the component has no address of its own to ask at",
            where=where,
            hint="give the whole Url, or the zone a HostedZoneName",
        )
    return f"https://{{{{ outputs.pointers.BuildDnsName }}}}/{path.lstrip('/')}"
