"""The policy of a plan: exactly what its actions declare, small enough for IAM, the same every time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.execute import catalogue
from core_lib.execute.policy import (
    LARGEST_DOCUMENT,
    action_needs,
    documents_of,
    in_account,
    role_policies,
    size_of,
    trust_policy,
)
from core_lib.execute.policy_template import role_template
from core_lib.execute.template_permissions import template_permissions
from core_lib.framework.models import Target
from tests.builders.plans import action, example, plan_of

HERE = Target(account="111111111111", region="eu-west-1")
ARN = re.compile(r"\*|arn:[a-z*-]+:[a-z0-9*-]+:[a-z0-9*-]*:(?:\d{12}|aws|\*)?:\S+")
TEMPLATE = b"Resources: {Item: {Type: 'AWS::SSM::Parameter'}, Own: {Type: 'Custom::Thing'}}"


def allows(documents: Iterable[Mapping[str, Any]], permission: str, resource: str) -> bool:
    """A small matcher in place of IAM's."""
    for statement in (statement for document in documents for statement in document["Statement"]):
        actions, resources = (listed(statement[key]) for key in ("Action", "Resource"))
        if permission in actions and any(fnmatchcase(resource, pattern) for pattern in resources):
            return True
    return False


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


names = st.sampled_from([f"svc{number}:Do{letter}" for number in range(3) for letter in "ABCDEFG"])
arns = st.sampled_from(["*", *(f"arn:aws:svc:eu-west-1:111111111111:thing/{'x' * 90}{number}" for number in range(60))])


@given(st.dictionaries(names, st.frozensets(arns, min_size=1, max_size=40), min_size=1))
def test_documents_when_made_then_they_allow_exactly_the_needs_and_fit(needs: dict[str, frozenset[str]]) -> None:
    documents = documents_of(needs)
    assert documents == documents_of(dict(reversed(needs.items())))
    assert all(size_of(document) <= LARGEST_DOCUMENT for document in documents)
    for permission in [f"svc{number}:Do{letter}" for number in range(3) for letter in "ABCDEFG"]:
        wanted = needs.get(permission, frozenset())
        for number in range(60):
            resource = f"arn:aws:svc:eu-west-1:111111111111:thing/{'x' * 90}{number}"
            assert allows(documents, permission, resource) == bool(wanted & {"*", resource})


@pytest.mark.parametrize("kind", list(catalogue()))
def test_scope_when_asked_with_the_example_then_its_arns_are_valid_and_its_permissions_declared(kind: str) -> None:
    found = catalogue()[kind]
    scope = found.scope(found.example, HERE, "aws")
    services = {permission.partition(":")[0] for permission in found.permissions}
    for name, listed_arns in scope.items():
        assert name in found.permissions or (name.endswith(":*") and name.partition(":")[0] in services), name
        assert all(ARN.fullmatch(arn.replace("{{", "").replace("}}", "").replace(" ", "")) for arn in listed_arns), listed_arns
    needs = action_needs(example("it", kind), HERE, catalogue())
    assert set(needs) <= set(found.permissions)
    assert not any("{{" in arn for wanted in needs.values() for arn in wanted)


def test_policy_when_a_plan_has_two_alike_accounts_then_one_document_serves_both_and_the_template_is_exact() -> None:
    keys = ("111111111111/eu-west-1", "222222222222/eu-west-1")
    plan = plan_of([example("it", "AWS::WaitForAlarm", target=key, AlarmNames="shop") for key in keys])
    (policy,) = role_policies([plan], lambda path: TEMPLATE)
    assert policy.accounts == ("111111111111", "222222222222")
    assert policy.documents == (
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "cloudwatch:DescribeAlarms",
                    "Resource": "arn:aws:cloudwatch:eu-west-1:*:alarm:shop",
                }
            ],
        },
    )
    template = role_template(policy, trust_policy("333333333333", "secret-handshake"))
    document = template["Resources"]["Policy1"]["Properties"]["PolicyDocument"]
    exact = {"Fn::Sub": "arn:aws:cloudwatch:eu-west-1:${AWS::AccountId}:alarm:shop"}
    assert document["Statement"][0]["Resource"] == exact
    trust = template["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "secret-handshake"}}
    alone = role_policies([plan], lambda path: TEMPLATE, per_account=True)
    assert [each.documents[0]["Statement"][0]["Resource"].split(":")[4] for each in alone] == list(policy.accounts)


def test_policy_when_a_stack_is_deployed_then_its_resources_count_and_what_tells_nothing_is_named() -> None:
    spec = {"StackName": "net", "Template": "net.yaml"}
    (policy,) = role_policies([plan_of([action("net", "AWS::CreateStack", spec=spec)])], lambda path: TEMPLATE)
    assert allows(policy.documents, "ssm:PutParameter", "arn:aws:ssm:eu-west-1:111111111111:parameter/x")
    assert policy.by_hand == ("Custom::Thing",)
    role = "arn:aws:iam::111111111111:role/CloudFormation"
    by_role = plan_of([action("net", "AWS::CreateStack", spec=spec | {"RoleArn": role})])
    (passed,) = role_policies([by_role], lambda path: TEMPLATE)
    assert allows(passed.documents, "iam:PassRole", role)
    assert not allows(passed.documents, "ssm:PutParameter", "*")


def test_policy_when_stacks_are_changed_then_pre_flight_may_look_as_well() -> None:
    spec = {"StackName": "net", "Template": "net.yaml"}
    (policy,) = role_policies([plan_of([action("net", "AWS::CreateStack", spec=spec)])], lambda path: TEMPLATE)
    assert allows(policy.documents, "cloudformation:DescribeAccountLimits", "*")


def test_policy_when_a_kind_works_in_other_accounts_then_their_roles_need_the_same() -> None:
    plan = plan_of([example("dup", "AWS::DuplicateImageToAccount", target="111111111111/eu-west-1")])
    found = {account: policy for policy in role_policies([plan], lambda path: TEMPLATE) for account in policy.accounts}
    assert set(found) == {"111111111111", "222222222222", "333333333333"}
    assert allows(found["333333333333"].documents, "ec2:RegisterImage", "arn:aws:ec2:eu-west-1::image/ami-1")


def test_permissions_when_a_resource_type_has_a_schema_then_all_handlers_count() -> None:
    permissions, unknown = template_permissions(TEMPLATE, "net.yaml")
    assert {"ssm:PutParameter", "ssm:DeleteParameter", "ssm:GetParameters"} <= permissions
    assert unknown == {"Custom::Thing"}


def test_arn_when_it_lies_in_the_account_then_only_its_account_changes() -> None:
    assert in_account("arn:aws:ssm:*:111111111111:x:111111111111", "111111111111", "*") == "arn:aws:ssm:*:*:x:111111111111"
    assert in_account("arn:aws:s3:::bucket", "111111111111", "*") == "arn:aws:s3:::bucket"
