"""IAM rules of Pipeline::Security."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core_lib.component.model import Wire
from core_lib.component.security import Secured, security_stages
from core_lib.component.security.packing import INLINE_OF_A_ROLE, MANAGED_POLICY, Room, size_of
from core_lib.component.wires import wired
from core_lib.framework.errors import CompileError, CoreError
from tests.builders.component_facts import component_facts
from tests.builders.written import written

OTHERS = """
fn: {Type: Test::Function, Configuration: {Function: {}}}
web: {Type: Test::Server, Configuration: {Server: {}}}
uploads: {Type: Test::Bucket, Configuration: {Bucket: {}}}
"""
ARN = wired(Wire("orders", "resources", "TableArn"))
KEY = wired(Wire("_application", "kms", "KeyArn"))


def secured(source: str, allow: str, **facts: Any) -> Secured:
    text = (
        f"orders: {{Type: Test::Table, Configuration: {{Table: {{Pipeline::Security: {{Source: {source}, Allow: {allow}}}}}}}}}"
    )
    return security_stages(written(OTHERS + text), component_facts(**facts))


def resources(found: Secured, stage: str, component: str = "orders") -> list[dict[str, Any]]:
    return list(found.stages.get(component, {}).get(stage, {}).get("Resources", {}).values())


def test_alias_when_it_names_outputs_then_the_source_s_role_has_a_policy_after_the_resources() -> None:
    found = secured("fn", "read")
    assert resources(found, "rules-base") == []
    (policy,) = resources(found, "rules")
    assert policy == {
        "Type": "AWS::IAM::Policy",
        "Properties": {
            "PolicyName": "shop-web-main-7-orders-rules",
            "Roles": [wired(Wire("fn", "security", "RoleName"))],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "OrdersTableRead", "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"],
                        "Resource": [ARN, {"Fn::Sub": ["${TableArn}/index/*", {"TableArn": ARN}]}],
                    },
                ],
            },
        },
    }  # fmt: skip


def test_alias_when_it_needs_the_application_s_key_then_the_role_has_that_once_before_its_resources() -> None:
    text = """
orders: {Type: Test::Table, Configuration: {Table: {Pipeline::Security: {Source: fn, Allow: read}}}}
prices: {Type: Test::Table, Configuration: {Table: {Pipeline::Security: {Source: fn, Allow: read}}}}
"""
    (policy,) = resources(security_stages(written(OTHERS + text), component_facts()), "rules-base", "fn")
    assert policy["Properties"]["Roles"] == [wired(Wire("fn", "security", "RoleName"))]
    assert policy["Properties"]["PolicyDocument"]["Statement"] == [
        {"Sid": "ApplicationKey", "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [KEY]}
    ]


def test_alias_when_it_needs_no_output_then_its_policy_comes_before_the_resources_and_is_the_branch_s() -> None:
    (policy,) = resources(secured("fn", "[list, watch]"), "rules-base")
    assert policy["Properties"]["PolicyName"] == "shop-web-main-orders-rules-base"
    assert [statement["Resource"] for statement in policy["Properties"]["PolicyDocument"]["Statement"]] == [
        ["*"],
        [{"Fn::Sub": "arn:${AWS::Partition}:logs:*:*:log-group:Table-*"}],
    ]


def test_aliases_when_several_components_are_allowed_then_each_role_has_one_policy() -> None:
    found = secured("[fn, web]", "[read, list]")
    for stage in ("rules", "rules-base"):
        policies = resources(found, stage)
        assert [policy["Properties"]["Roles"] for policy in policies] == [
            [wired(Wire(name, "security", "RoleName"))] for name in ("fn", "web")
        ]


@pytest.mark.parametrize("source", ["prn:pay:ledger:main:*:api", "{Portfolio: pay, App: ledger, Component: api}"])
def test_alias_when_another_app_is_allowed_then_its_role_has_the_policy(source: str) -> None:
    (policy,) = resources(secured(source, "read"), "rules")
    assert policy["Properties"]["Roles"] == [wired(Wire("prn:pay:ledger:main:*:api", "security", "RoleName"))]
    assert policy["Properties"]["PolicyDocument"]["Statement"][-1]["Action"] == ["kms:Decrypt"]


@pytest.mark.parametrize(
    ("source", "allow", "words", "advice"),
    [
        ("fn", "raed", "nothing called 'raed' to allow", "did you mean read?"),
        ("fn", "everything", "nothing called 'everything' to allow", "Test::Table offers read, list, watch"),
        ("fn", "TCP:443", "has no port that 'TCP:443' could open", "it offers read, list, watch"),
        ("uploads", "read", "uploads (Test::Bucket) has no role that could be allowed to read", None),
        ("10.0.0.0/8", "read", "read can be allowed to components only, and 10.0.0.0/8 is none", None),
    ],
)
def test_alias_when_it_cannot_be_allowed_then_the_error_says_why(source: str, allow: str, words: str, advice: str | None) -> None:
    with pytest.raises(CompileError) as raised:
        secured(source, allow)
    assert words in raised.value.message
    assert advice is None or advice in str(raised.value.hint)


def test_grants_when_several_are_wrong_then_all_are_told() -> None:
    with pytest.raises(CoreError, match="3 faults"):
        secured("[fn, nobody]", "[raed, writ]")


def many(tables: int) -> Secured:
    """A function that may read many tables."""
    table = "{Type: Test::Table, Configuration: {Table: {Pipeline::Security: {Source: fn, Allow: read}}}}"
    text = "\n".join(f"t{number:04}: {table}" for number in range(tables))
    return security_stages(written(OTHERS + text), component_facts())


def test_policies_when_a_role_has_no_room_for_more_inline_ones_then_its_own_component_has_managed_ones() -> None:
    found = many(60)
    about = [policy for number in range(60) for policy in resources(found, "rules", f"t{number:04}")]
    managed = resources(found, "rules", "fn")
    assert {policy["Type"] for policy in about} == {"AWS::IAM::Policy"}
    assert {policy["Type"] for policy in managed} == {"AWS::IAM::ManagedPolicy"}
    assert {str(policy["Properties"]["Roles"]) for policy in managed} == {str([wired(Wire("fn", "security", "RoleName"))])}
    statements = [each for policy in (*about, *managed) for each in policy["Properties"]["PolicyDocument"]["Statement"]]
    assert len({each["Sid"] for each in statements}) == 60
    (warning,) = found.warnings
    assert "after its own resources are made" in str(warning)


def test_policies_when_a_role_has_no_room_at_all_then_the_error_says_so() -> None:
    with pytest.raises(CompileError, match="no room for all that it is allowed to"):
        many(150)


def statement(size: int) -> dict[str, Any]:
    return {"Sid": "S", "Effect": "Allow", "Action": "a:B", "Resource": "x" * size}


def test_room_when_statements_are_long_then_they_are_cut_into_policies_that_iam_takes() -> None:
    policies = Room(0, 3).cut([statement(2_500)] * 5, 0)
    assert [len(policy) for policy in policies] == [2, 2, 1]
    assert all(size_of(policy, 0) <= MANAGED_POLICY for policy in policies)
    with pytest.raises(CompileError, match="longer than the 6144 characters"):
        Room(0, 3).cut([statement(7_000)], 0)


def test_room_when_a_role_has_statements_of_its_own_then_they_take_of_it() -> None:
    empty, beside = Room.beside([], 0), Room.beside([statement(4_000)], 3)
    assert empty.inline < INLINE_OF_A_ROLE / 2
    assert empty.inline - beside.inline == size_of([statement(4_000)], 0) // 2
    assert (empty.managed, beside.managed) == (5, 3)


def test_room_when_it_takes_a_policy_then_there_is_less() -> None:
    room = Room(1_000, 0)
    assert room.takes([statement(400)], 0)
    assert not room.takes([statement(600)], 0)
    assert room.takes([statement(300)], 0)


def test_size_when_outputs_are_in_it_then_they_count_as_long_as_an_arn_with_their_name() -> None:
    plain = size_of([{"Resource": "x" * (80 + 30)}], 0)
    assert size_of([{"Resource": ARN}], 30) == plain
    assert size_of([{"Resource": {"Fn::Sub": ["${T}", {"T": ARN}]}}], 30) == plain + len("${T}")


def test_stages_when_they_are_made_twice_then_they_are_the_same_bytes() -> None:
    one, two = (json.dumps(secured("[web, fn]", "[list, read]").stages) for _ in range(2))
    assert one == two
