"""AWS::UnprotectELB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from pydantic import Field, field_validator

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import name_in_arn
from core_lib.execute.refusals import code_of
from core_lib.execute.steps import Again, Done, Step
from core_lib.framework.models import Message, Target

PROTECTION = "deletion_protection.enabled"
_MISSING = ("LoadBalancerNotFound", "LoadBalancerNotFoundException")
_FAMILIES = ("app/", "net/", "gwy/")


class UnprotectELBParams(Message):
    """Which load balancer."""

    load_balancer: str = Field(
        default="none", pattern=r"^(none|arn:\S+:loadbalancer/\S+|[A-Za-z0-9-]{1,32})$",
        description="ARN or name of an application, network, gateway or classic load balancer; `none` = nothing to do",
    )  # fmt: skip

    @field_validator("load_balancer", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return "none" if value is None or str(value).lower() in ("", "none") else value


Context = ActionContext[UnprotectELBParams]


class UnprotectELB(Action[UnprotectELBParams]):
    """Switches the deletion protection of a load balancer off, so that its stack can be deleted."""

    kind = "AWS::UnprotectELB"
    purpose = "Switches the deletion protection of a load balancer off; one that is not there, or `none`, is fine."
    permissions = (
        "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:ModifyLoadBalancerAttributes",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyLoadBalancerAttributes.html"
    Params = UnprotectELBParams
    example: ClassVar[Mapping[str, Any]] = {"LoadBalancer": "{{ outputs.web.LoadBalancerArn }}"}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The load balancer, as far as it is named; describing knows no resources."""
        name = name_in_arn(params, "LoadBalancer")
        if name.startswith("arn:"):
            return {"elasticloadbalancing:ModifyLoadBalancerAttributes": (name,)}
        prefix = f"arn:{partition}:elasticloadbalancing:{target.region}:{target.account}:loadbalancer"
        found = tuple(f"{prefix}/{family}{name}/*" for family in _FAMILIES)
        return {"elasticloadbalancing:ModifyLoadBalancerAttributes": found}

    def start(self, ctx: Context) -> Step:
        """Look; what has to be changed is remembered before it is changed."""
        name = ctx.params.load_balancer
        if name == "none":
            return Done(changed=False, message="there is no load balancer")
        arn = _arn_of(ctx, name)
        if arn is None:
            return Done(changed=False, message=_why_nothing(ctx, name))
        if not _protected(ctx, arn):
            return Done(changed=False, message="it is not protected")
        return Again(0, {"protected": arn})

    def check(self, ctx: Context) -> Step:
        """Switch it off."""
        return Done(message="unprotected") if _protect(ctx, ctx.scratch["protected"], "false") else Done(message="it is gone")

    def undo(self, ctx: Context) -> Step:
        """Protect again what was protected."""
        arn = ctx.scratch.get("protected")
        if arn is None:
            return Done(changed=False, message="it was not protected before")
        return Done() if _protect(ctx, arn, "true") else Done(changed=False, message="the load balancer is gone")


def _arn_of(ctx: Context, name: str) -> str | None:
    """The ARN of an application, network or gateway load balancer; None when there is no such one."""
    if name.startswith("arn:"):
        family = name.partition(":loadbalancer/")[2]
        wanted = {"LoadBalancerArns": [name]} if family.startswith(_FAMILIES) else None
    else:
        wanted = {"Names": [name]}
    if wanted is None:
        return None
    try:
        found = ctx.client("elbv2").describe_load_balancers(**wanted)["LoadBalancers"]
    except ClientError as error:
        if code_of(error) in _MISSING:
            return None
        raise
    return str(found[0]["LoadBalancerArn"]) if found else None


def _why_nothing(ctx: Context, name: str) -> str:
    """A classic load balancer has no deletion protection: nothing to do when it exists, and nothing when it does not."""
    try:
        found = ctx.client("elb").describe_load_balancers(LoadBalancerNames=[name.rpartition("/")[2]])
    except ClientError as error:
        if code_of(error) in _MISSING:
            return "there is no such load balancer"
        raise
    classic = bool(found["LoadBalancerDescriptions"])
    return "a classic load balancer has no deletion protection" if classic else "there is no such load balancer"


def _protected(ctx: Context, arn: str) -> bool:
    attributes = ctx.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return any(item["Key"] == PROTECTION and item["Value"] == "true" for item in attributes)


def _protect(ctx: Context, arn: str, value: str) -> bool:
    """Set the protection; False when the load balancer is gone."""
    attributes = [{"Key": PROTECTION, "Value": value}]
    try:
        ctx.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)
    except ClientError as error:
        if code_of(error) in _MISSING:
            return False
        raise
    return True
