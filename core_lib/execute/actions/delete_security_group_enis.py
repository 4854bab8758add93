"""AWS::DeleteSecurityGroupEnis."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from pydantic import AliasChoices, Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import name_in_arn
from core_lib.execute.interfaces.live import Interface, Verdict, interfaces_of
from core_lib.execute.refusals import code_of, text_of
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Cause, Message, Target

CHANGES_PER_STEP = 50
SECONDS_BETWEEN_LOOKS = 5.0
MOST_IDLE_LOOKS = 60
"""How often interfaces may be seen detaching without any progress, before that is a failure: five minutes."""

_GONE = ("InvalidNetworkInterfaceID.NotFound", "InvalidAttachmentID.NotFound")
_STILL_IN_USE = ("InvalidNetworkInterface.InUse", "InvalidParameterValue", "IncorrectState", "IncorrectInstanceState")
_NOT_OURS = ("AuthFailure", "OperationNotPermitted", "UnsupportedOperation")


class DeleteSecurityGroupEnisParams(Message):
    """Which security group."""

    security_group_id: str = Field(
        pattern=r"^sg-[0-9a-f]{8,17}$", description="Id of the security group",
        validation_alias=AliasChoices("SecurityGroupId", "GroupId", "group_id"), serialization_alias="SecurityGroupId",
    )  # fmt: skip


Context = ActionContext[DeleteSecurityGroupEnisParams]


class DeleteSecurityGroupEnis(Action[DeleteSecurityGroupEnisParams]):
    """Deletes the network interfaces that keep a security group from being deleted."""

    kind = "AWS::DeleteSecurityGroupEnis"
    purpose = "Detaches and deletes all network interfaces of a security group; leaves, and names, those that services still use."
    permissions = ("ec2:DescribeNetworkInterfaces", "ec2:DetachNetworkInterface", "ec2:DeleteNetworkInterface")
    source = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkInterface.html"
    Params = DeleteSecurityGroupEnisParams
    outputs: ClassVar[Mapping[str, str]] = {
        "Deleted": "Number of network interfaces deleted", "Left": "Those that may not be deleted: reason by id",
    }  # fmt: skip
    example: ClassVar[Mapping[str, Any]] = {"SecurityGroupId": "{{ outputs.security.WebSecurityGroupId }}"}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """Interfaces of the target, and the group; instances for detaching."""
        prefix = f"arn:{partition}:ec2:{target.region}:{target.account}"
        group = f"{prefix}:security-group/{name_in_arn(params, 'SecurityGroupId')}"
        interfaces = f"{prefix}:network-interface/*"
        return {
            "ec2:DeleteNetworkInterface": (interfaces, group),
            "ec2:DetachNetworkInterface": (interfaces, f"{prefix}:instance/*", group),
        }

    def start(self, ctx: Context) -> Step:
        """The first look."""
        return self._look(ctx, {"deleted": 0, "refused": {}, "idle": 0})

    def check(self, ctx: Context) -> Step:
        """Another look."""
        return self._look(ctx, ctx.scratch)

    def cancel(self, ctx: Context) -> Step:
        """Stop between two interfaces."""
        return Done(message=f"stopped: {ctx.scratch['deleted']} network interfaces deleted")

    def _look(self, ctx: Context, scratch: Mapping[str, Any]) -> Step:
        ec2 = ctx.client("ec2")
        refused = dict(scratch["refused"])
        found = list(interfaces_of(ec2, ctx.params.security_group_id))
        left = {each.id: each.reason for each in found if each.verdict is Verdict.LEAVE}
        todo = [each for each in found if each.verdict is not Verdict.LEAVE and each.id not in refused]
        deleted = acted = 0
        for each in islice((each for each in todo if each.verdict is not Verdict.WAIT), CHANGES_PER_STEP):
            done, refusal = _act(ec2, each)
            deleted += done and each.verdict is Verdict.DELETE
            acted += done
            if refusal:
                refused[each.id] = refusal
        total = int(scratch["deleted"]) + deleted
        if not todo:
            return _ended(total, left | {key: why for key, why in refused.items() if key in {each.id for each in found}})
        idle = 0 if acted else int(scratch["idle"]) + 1
        if idle > MOST_IDLE_LOOKS:
            stuck = ", ".join(each.id for each in todo[:5])
            return Failed(f"{len(todo)} network interfaces stay in use: {stuck}", cause=Cause.TIMEOUT, hint="see what uses them")
        pause = 0.0 if deleted == len(todo) else SECONDS_BETWEEN_LOOKS
        return Again(pause, {"deleted": total, "refused": refused, "idle": idle}, f"{total} deleted, {len(todo) - deleted} to go")


def _act(ec2: Any, interface: Interface) -> tuple[bool, str]:
    """Detach or delete an interface: whether that was accepted, and why it may never be."""
    try:
        if interface.verdict is Verdict.DETACH:
            ec2.detach_network_interface(AttachmentId=interface.attachment, Force=True)
        else:
            ec2.delete_network_interface(NetworkInterfaceId=interface.id)
    except ClientError as error:
        if code_of(error) in _NOT_OURS:
            return False, text_of(error)
        if code_of(error) not in (*_GONE, *_STILL_IN_USE):
            raise
        return code_of(error) in _GONE, ""
    return True, ""


def _ended(deleted: int, left: Mapping[str, str]) -> Done:
    outputs = {"Deleted": deleted, "Left": dict(left)}
    if not left:
        return Done(outputs=outputs, changed=deleted > 0, message=f"{deleted} network interfaces deleted")
    named = "; ".join(f"{identity} ({reason})" for identity, reason in list(left.items())[:5])
    return Done(outputs=outputs, changed=deleted > 0, message=f"{deleted} network interfaces deleted, {len(left)} left: {named}")
