"""AWS::UnprotectELB, with scripted load balancers."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from core_lib.execute import Again, Done
from core_lib.execute.actions.unprotect_elb import PROTECTION, UnprotectELB
from core_lib.framework.models import Target
from tests.builders.contexts import ACCOUNT, context_of
from tests.builders.scripted import names, refusal, scripted

KIND = "AWS::UnprotectELB"
ACTION = UnprotectELB()
ARN = f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/app/web/50dc6c495c0c9188"
CLASSIC = f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/old"


def modern(protected: str = "true", **more: Any) -> Any:
    return scripted(
        "elbv2",
        **{
            "describe_load_balancers": {"LoadBalancers": [{"LoadBalancerArn": ARN}]},
            "describe_load_balancer_attributes": {"Attributes": [{"Key": PROTECTION, "Value": protected}]},
            "modify_load_balancer_attributes": {"Attributes": []},
        }
        | more,
    )


def classic(found: bool) -> Any:
    answer = {"LoadBalancerDescriptions": [{"LoadBalancerName": "old"}]} if found else refusal("LoadBalancerNotFound")
    return scripted("elb", describe_load_balancers=answer)


@pytest.mark.parametrize("name", ["none", "None", "", None])
def test_protection_when_there_is_no_load_balancer_then_nothing_is_asked(name: Any) -> None:
    done = ACTION.start(context_of(KIND, {}, LoadBalancer=name))
    assert done == Done(changed=False, message="there is no load balancer")


@pytest.mark.parametrize("name", [ARN, "web"])
def test_protection_when_on_then_it_is_remembered_and_switched_off(name: str) -> None:
    client = modern()
    first = ACTION.start(context_of(KIND, {"elbv2": client}, LoadBalancer=name))
    assert first == Again(0, {"protected": ARN})
    assert "modify_load_balancer_attributes" not in names(client)
    ctx = context_of(KIND, {"elbv2": client}, scratch={"protected": ARN}, LoadBalancer=name)
    assert ACTION.check(ctx) == ACTION.check(ctx) == Done(message="unprotected")
    assert client.calls[-1][1]["Attributes"] == [{"Key": PROTECTION, "Value": "false"}]


def test_protection_when_off_already_then_nothing_changes_and_undo_does_not_protect() -> None:
    client = modern("false")
    done = ACTION.start(context_of(KIND, {"elbv2": client}, LoadBalancer="web"))
    assert done == Done(changed=False, message="it is not protected")
    undone = ACTION.undo(context_of(KIND, {"elbv2": client}, LoadBalancer="web"))
    assert isinstance(undone, Done)
    assert not undone.changed


@pytest.mark.undo("AWS::UnprotectELB")
def test_undo_when_it_was_protected_then_it_is_again() -> None:
    client = modern()
    ctx = context_of(KIND, {"elbv2": client}, scratch={"protected": ARN}, LoadBalancer="web")
    assert ACTION.undo(ctx) == Done()
    assert client.calls == [
        ("modify_load_balancer_attributes", {"LoadBalancerArn": ARN, "Attributes": [{"Key": PROTECTION, "Value": "true"}]})
    ]


def test_undo_when_the_load_balancer_is_gone_then_that_is_told() -> None:
    client = modern(modify_load_balancer_attributes=refusal("LoadBalancerNotFound"))
    undone = ACTION.undo(context_of(KIND, {"elbv2": client}, scratch={"protected": ARN}, LoadBalancer="web"))
    assert undone == Done(changed=False, message="the load balancer is gone")


@pytest.mark.parametrize("name", ["old", CLASSIC])
def test_protection_when_the_load_balancer_is_a_classic_one_then_there_is_none_to_switch_off(name: str) -> None:
    clients = {"elbv2": modern(describe_load_balancers=refusal("LoadBalancerNotFound")), "elb": classic(found=True)}
    done = ACTION.start(context_of(KIND, clients, LoadBalancer=name))
    assert done == Done(changed=False, message="a classic load balancer has no deletion protection")


def test_protection_when_nobody_knows_the_load_balancer_then_that_is_fine() -> None:
    clients = {"elbv2": modern(describe_load_balancers=refusal("LoadBalancerNotFound")), "elb": classic(found=False)}
    done = ACTION.start(context_of(KIND, clients, LoadBalancer="web"))
    assert done == Done(changed=False, message="there is no such load balancer")


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling"])
def test_protection_when_aws_says_no_then_the_engine_judges_it(code: str) -> None:
    with pytest.raises(ClientError, match=code):
        ACTION.start(context_of(KIND, {"elbv2": modern(describe_load_balancers=refusal(code))}, LoadBalancer="web"))


def test_scope_when_an_arn_or_a_name_is_given_then_only_it_may_be_modified() -> None:
    target = Target(account=ACCOUNT, region="eu-west-1")
    (permission,) = UnprotectELB.scope({"LoadBalancer": ARN}, target, "aws").values()
    assert permission == (ARN,)
    (by_name,) = UnprotectELB.scope({"LoadBalancer": "web"}, target, "aws").values()
    assert ARN.replace("50dc6c495c0c9188", "*") in by_name
