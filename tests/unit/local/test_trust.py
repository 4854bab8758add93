"""Trust policies decide as IAM decides."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.local.gateway.trust import Caller, trusted

ROOT = "arn:aws:iam::100000000001:root"
ROLE = "arn:aws:iam::100000000001:role/deployer"
SESSION = "arn:aws:sts::100000000001:assumed-role/deployer/run-1"


def policy(principal: object, *, effect: str = "Allow", action: object = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": effect, "Principal": principal, "Action": action, **more}]}


def caller(external_id: str | None = None) -> Caller:
    return Caller("100000000001", (SESSION, ROLE), external_id)


@pytest.mark.parametrize(
    "principal", ["*", {"AWS": ROOT}, {"AWS": "100000000001"}, {"AWS": ["x", ROLE]}, {"AWS": SESSION}, {"AWS": "*"}]
)
def test_trust_when_the_principal_is_the_caller_then_it_is_granted(principal: object) -> None:
    assert trusted(policy(principal), caller())


@pytest.mark.parametrize(
    "principal", [None, {}, {"AWS": "arn:aws:iam::100000000002:root"}, {"Service": "ec2.amazonaws.com"}, {"AWS": f"{ROLE}2"}, "x"]
)
def test_trust_when_the_principal_is_somebody_else_then_it_is_refused(principal: object) -> None:
    assert not trusted(policy(principal), caller())


@pytest.mark.parametrize(
    ("action", "expected"),
    [("sts:*", True), ("*", True), (["sts:TagSession", "sts:AssumeRole"], True), ("sts:TagSession", False)],
)
def test_trust_when_the_action_differs_then_only_assume_role_counts(action: object, expected: bool) -> None:
    assert trusted(policy("*", action=action), caller()) is expected


def test_trust_when_a_statement_denies_then_no_allow_helps() -> None:
    both = {"Statement": policy("*")["Statement"] + policy({"AWS": ROLE}, effect="Deny")["Statement"]}
    assert not trusted(both, caller())


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a", None, False),
        ("StringEqualsIfExists", "a", None, True),
        ("StringEqualsIfExists", "a", "b", False),
        ("StringEqualsIgnoreCase", "a", "A", True),
        ("StringLike", "core-*", "core-1", True),
        ("StringLike", "core-*", "x", False),
        ("StringNotEquals", "a", "a", False),
        ("StringNotEquals", "a", None, True),
    ],
)
def test_trust_when_an_external_id_is_asked_for_then_it_must_fit(
    operator: str, wanted: object, given: str | None, expected: bool
) -> None:
    condition = {operator: {"sts:ExternalId": wanted}}
    assert trusted(policy("*", Condition=condition), caller(given)) is expected


def test_trust_when_the_policy_is_empty_then_it_is_refused() -> None:
    assert not trusted({}, caller())
