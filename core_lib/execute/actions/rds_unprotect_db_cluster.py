"""AWS::RDS::UnprotectDbCluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import name_in_arn
from core_lib.execute.refusals import code_of
from core_lib.execute.steps import Again, Done, Step
from core_lib.framework.models import Message, Target

SECONDS_BETWEEN_TRIES = 20.0
_MISSING = ("DBClusterNotFound", "DBClusterNotFoundFault")
_BUSY = ("InvalidDBClusterState", "InvalidDBClusterStateFault")


class RdsUnprotectDbClusterParams(Message):
    """Which cluster."""

    db_cluster_identifier: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,62}$", description="Name of an Aurora, DocumentDB or Neptune cluster"
    )


Context = ActionContext[RdsUnprotectDbClusterParams]


class RdsUnprotectDbCluster(Action[RdsUnprotectDbClusterParams]):
    """Switches the deletion protection of a database cluster off, so that its stack can be deleted."""

    kind = "AWS::RDS::UnprotectDbCluster"
    purpose = "Switches the deletion protection of a database cluster off; one that is not there is fine."
    permissions = ("rds:DescribeDBClusters", "rds:ModifyDBCluster")
    source = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html"
    Params = RdsUnprotectDbClusterParams
    example: ClassVar[Mapping[str, Any]] = {"DbClusterIdentifier": "{{ outputs.db.ClusterName }}"}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The cluster, as far as it is named."""
        prefix = f"arn:{partition}:rds:{target.region}:{target.account}:cluster"
        return {
            "rds:DescribeDBClusters": (f"{prefix}:*",),
            "rds:ModifyDBCluster": (f"{prefix}:{name_in_arn(params, 'DbClusterIdentifier')}",),
        }

    def start(self, ctx: Context) -> Step:
        """Look; what has to be changed is remembered before it is changed."""
        name = ctx.params.db_cluster_identifier
        try:
            (cluster,) = ctx.client("rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
        except ClientError as error:
            if code_of(error) not in _MISSING:
                raise
            return Done(changed=False, message="there is no such cluster")
        if not cluster.get("DeletionProtection"):
            return Done(changed=False, message="it is not protected")
        return Again(0, {"protected": name})

    def check(self, ctx: Context) -> Step:
        """Switch it off; a cluster that is being changed is waited for."""
        return _protect(ctx, ctx.scratch["protected"], False)

    def undo(self, ctx: Context) -> Step:
        """Protect again what was protected."""
        name = ctx.scratch.get("protected")
        return _protect(ctx, name, True) if name else Done(changed=False, message="it was not protected before")


def _protect(ctx: Context, name: str, wanted: bool) -> Step:
    """Set the protection, later when the cluster is busy, not at all when it is gone."""
    try:
        ctx.client("rds").modify_db_cluster(DBClusterIdentifier=name, DeletionProtection=wanted, ApplyImmediately=True)
    except ClientError as error:
        code = code_of(error)
        if code in _MISSING:
            return Done(changed=False, message="the cluster is gone")
        if code in _BUSY:
            return Again(SECONDS_BETWEEN_TRIES, dict(ctx.scratch), "the cluster is being changed")
        raise
    return Done(message="protected" if wanted else "unprotected")
