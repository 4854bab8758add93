"""Does a role's trust policy let this caller in?

A useful part of IAM's evaluation: Allow and Deny statements on sts:AssumeRole, AWS principals, and the conditions on
`sts:ExternalId`. Conditions on other keys are taken as met: the gateway does not know their values.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the account, the ARNs the caller goes by (session, role, user), and the external id it sent."""

    account: str
    arns: tuple[str, ...]
    external_id: str | None


def trusted(policy: Mapping[str, Any], caller: Caller) -> bool:
    """True if some statement allows the caller and none denies it."""
    effects = {
        statement.get("Effect")
        for statement in _listed(policy.get("Statement"))
        if isinstance(statement, dict) and _applies(statement, caller)
    }
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: Mapping[str, Any], caller: Caller) -> bool:
    actions = _listed(statement.get("Action"))
    return (
        any(fnmatchcase("sts:assumerole", str(action).lower()) for action in actions)
        and _principal_fits(statement.get("Principal"), caller)
        and _conditions_met(statement.get("Condition") or {}, caller.external_id)
    )


def _principal_fits(principal: object, caller: Caller) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    accepted = {"*", caller.account, f"arn:aws:iam::{caller.account}:root", *caller.arns}
    return any(str(name) in accepted for name in _listed(principal.get("AWS")))


def _conditions_met(conditions: Mapping[str, Any], external_id: str | None) -> bool:
    for operator, tests in conditions.items():
        for key, wanted in tests.items() if isinstance(tests, dict) else ():
            if str(key).lower() == "sts:externalid" and not _external_id_fits(str(operator), _listed(wanted), external_id):
                return False
    return True


def _external_id_fits(operator: str, wanted: list[Any], given: str | None) -> bool:
    name = operator.removesuffix("IfExists")
    if given is None:
        return operator.endswith("IfExists") or name in ("StringNotEquals", "StringNotLike")
    match name:
        case "StringEquals":
            return given in map(str, wanted)
        case "StringEqualsIgnoreCase":
            return given.lower() in (str(value).lower() for value in wanted)
        case "StringLike":
            return any(fnmatchcase(given, str(value)) for value in wanted)
        case "StringNotEquals":
            return given not in map(str, wanted)
        case "StringNotLike":
            return not any(fnmatchcase(given, str(value)) for value in wanted)
        case _:
            return True


def _listed(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
