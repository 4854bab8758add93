"""AWS::RDS::ModifyDbInstance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from botocore.exceptions import ClientError
from pydantic import Field, field_validator, model_validator

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.databases.instance import BROKEN, SETTLED, differences, find_instance, not_pending
from core_lib.execute.fields import name_in_arn
from core_lib.execute.refusals import code_of
from core_lib.execute.shapes import input_faults
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Cause, Message, Target

SECONDS_BETWEEN_LOOKS = 20.0
MOST_CALM_LOOKS = 15
"""How often an instance may look untouched after its modification was accepted: five minutes."""
MOST_LOOKS_WAITING = 180
"""How long somebody else's operation on the instance is waited for: an hour."""

_SECRETS = ("MasterUserPassword", "TdeCredentialPassword")


class RdsModifyDbInstanceParams(Message):
    """What the instance should be, in the words of the API."""

    api_params: dict[str, Any] = Field(
        description="Parameters of ModifyDBInstance, among them DBInstanceIdentifier, as in the AWS API"
    )
    apply_immediately: bool | None = Field(
        default=None, description="Do not wait for the maintenance window; default: what ApiParams says, else false"
    )

    @field_validator("api_params")
    @classmethod
    def _fits_the_api(cls, api_params: dict[str, Any]) -> dict[str, Any]:
        for name in _SECRETS:
            if name in api_params:
                raise ValueError(
                    f"{name} would be written into plan and ledger; let Secrets Manager keep it: ManageMasterUserPassword"
                )
        faults = input_faults("rds", "ModifyDBInstance", api_params)
        if faults:
            raise ValueError("; ".join(faults))
        return api_params

    @model_validator(mode="after")
    def _one_word(self) -> Self:
        said = self.api_params.get("ApplyImmediately")
        if isinstance(said, bool) and self.apply_immediately not in (None, said):
            raise ValueError("ApplyImmediately and ApiParams.ApplyImmediately contradict each other")
        return self

    @property
    def request(self) -> dict[str, Any]:
        """The request to RDS."""
        now = self.apply_immediately if self.apply_immediately is not None else bool(self.api_params.get("ApplyImmediately"))
        return self.api_params | {"ApplyImmediately": now}

    @property
    def identities(self) -> tuple[str, ...]:
        """The names the instance may have: before and after it is renamed."""
        names = (self.api_params["DBInstanceIdentifier"], self.api_params.get("NewDBInstanceIdentifier"))
        return tuple(str(name) for name in names if name)


Context = ActionContext[RdsModifyDbInstanceParams]


class RdsModifyDbInstance(Action[RdsModifyDbInstanceParams]):
    """Modifies a database instance; one that is already as wanted is left alone."""

    kind = "AWS::RDS::ModifyDbInstance"
    purpose = "Modifies an RDS instance and waits until that is done, or until it waits for the maintenance window."
    permissions = ("rds:DescribeDBInstances", "rds:ModifyDBInstance")
    source = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html"
    Params = RdsModifyDbInstanceParams
    outputs: ClassVar[Mapping[str, str]] = {
        "DBInstanceIdentifier": "Name of the instance", "DBInstanceArn": "ARN of the instance", "Status": "Its status",
        "EndpointAddress": "DNS name", "EndpointPort": "Port", "Pending": "Names of values that wait for the maintenance window",
    }  # fmt: skip
    example: ClassVar[Mapping[str, Any]] = {
        "ApiParams": {"DBInstanceIdentifier": "{{ outputs.db.Instance }}", "DBInstanceClass": "db.r6g.large", "MultiAZ": True},
        "ApplyImmediately": True,
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The instance; the groups it may be put into are not narrowed."""
        asked = params.get("ApiParams")
        name = name_in_arn(asked, "DBInstanceIdentifier") if isinstance(asked, Mapping) else "*"
        prefix = f"arn:{partition}:rds:{target.region}:{target.account}"
        groups = (f"{prefix}:pg:*", f"{prefix}:og:*", f"{prefix}:secgrp:*", f"{prefix}:subgrp:*")
        return {"rds:ModifyDBInstance": (f"{prefix}:db:{name}", *groups), "rds:DescribeDBInstances": (f"{prefix}:db:*",)}

    def start(self, ctx: Context) -> Step:
        """Compare; what differs is written down before it is asked for."""
        instance = find_instance(ctx.client("rds"), *ctx.params.identities)
        if instance is None:
            return Failed(f"there is no database instance {ctx.params.identities[0]}", hint="check its name, account and region")
        request = ctx.params.request
        wrong = differences(request, instance)
        if wrong and not request["ApplyImmediately"]:
            wrong = not_pending(wrong, request, instance)
        if not wrong:
            return Done(outputs=_outputs(instance), changed=False, message="it is so already")
        return _unusable(ctx, instance) or Again(0, {"stage": "asking", "names": wrong})

    def check(self, ctx: Context) -> Step:
        """Ask, then look until it is done."""
        stage = ctx.scratch["stage"]
        if stage == "waiting":
            return self.start(ctx)
        instance = find_instance(ctx.client("rds"), *ctx.params.identities)
        if instance is None:
            return Failed("the database instance has vanished", hint="see who deletes it")
        return _ask(ctx, instance) if stage == "asking" else _look(ctx, instance)


def _unusable(ctx: Context, instance: Mapping[str, Any]) -> Step | None:
    """What to do while the instance cannot be modified; None when it can."""
    status = instance["DBInstanceStatus"]
    if status in BROKEN:
        return _broken(instance)
    if status in SETTLED:
        return None
    looks = int(ctx.scratch.get("looks", 0)) + 1
    if looks > MOST_LOOKS_WAITING:
        return Failed(f"the database instance is still {status}", cause=Cause.TIMEOUT, hint="see its events in the console")
    return Again(SECONDS_BETWEEN_LOOKS, {"stage": "waiting", **ctx.scratch, "looks": looks}, f"the instance is {status}")


def _ask(ctx: Context, instance: Mapping[str, Any]) -> Step:
    """Ask RDS, unless a worker that was killed afterwards has done so."""
    step = _unusable(ctx, instance) or _end(ctx, instance)
    if step is not None:
        return step
    try:
        ctx.client("rds").modify_db_instance(**ctx.params.request)
    except ClientError as error:
        if code_of(error) not in ("InvalidDBInstanceState", "InvalidDBInstanceStateFault"):
            raise
        return Again(SECONDS_BETWEEN_LOOKS)
    names = ctx.scratch["names"]
    return Again(0, {"stage": "modifying", "names": names, "calm": 0, "worked": False}, f"modifying {', '.join(names)}")


def _look(ctx: Context, instance: Mapping[str, Any]) -> Step:
    """Is it as wanted, does it wait for its window, or does RDS still work on it?"""
    status = instance["DBInstanceStatus"]
    if status in BROKEN:
        return _broken(instance)
    if status not in SETTLED:
        return Again(SECONDS_BETWEEN_LOOKS, {**ctx.scratch, "worked": True}, f"the instance is {status}")
    step = _end(ctx, instance)
    if step is not None:
        return step
    pending = sorted(instance.get("PendingModifiedValues", {}))
    calm = int(ctx.scratch["calm"]) + 1
    if calm <= MOST_CALM_LOOKS and (pending or not ctx.scratch["worked"]):
        return Again(SECONDS_BETWEEN_LOOKS, {**ctx.scratch, "calm": calm})
    if pending:
        return Failed(f"still pending: {', '.join(pending)}", cause=Cause.TIMEOUT, hint="reboot the instance if it needs that")
    names = ", ".join(_wrong(ctx, instance))
    return Done(outputs=_outputs(instance), message=f"modified; RDS accepted, but does not show as asked for: {names}")


def _end(ctx: Context, instance: Mapping[str, Any]) -> Done | None:
    """The end, when the instance has all values or has them waiting for its window; else None."""
    request, pending = ctx.params.request, instance.get("PendingModifiedValues", {})
    wrong = _wrong(ctx, instance)
    if not wrong and not (pending and request["ApplyImmediately"]):
        return Done(outputs=_outputs(instance), message=f"modified: {', '.join(ctx.scratch['names'])}")
    if pending and not request["ApplyImmediately"] and not not_pending(wrong, request, instance):
        window = instance.get("PreferredMaintenanceWindow", "the next one")
        return Done(outputs=_outputs(instance), message=f"waits for the maintenance window ({window}): {', '.join(wrong)}")
    return None


def _wrong(ctx: Context, instance: Mapping[str, Any]) -> list[str]:
    return [name for name in differences(ctx.params.request, instance) if name in ctx.scratch["names"]]


def _broken(instance: Mapping[str, Any]) -> Failed:
    return Failed(
        f"the database instance is {instance['DBInstanceStatus']}", hint="repair it first, see its events in the console"
    )


def _outputs(instance: Mapping[str, Any]) -> dict[str, Any]:
    endpoint = instance.get("Endpoint", {})
    return {
        "DBInstanceIdentifier": instance["DBInstanceIdentifier"], "DBInstanceArn": instance.get("DBInstanceArn", ""),
        "Status": instance["DBInstanceStatus"], "EndpointAddress": endpoint.get("Address", ""),
        "EndpointPort": endpoint.get("Port", 0), "Pending": sorted(instance.get("PendingModifiedValues", {})),
    }  # fmt: skip
