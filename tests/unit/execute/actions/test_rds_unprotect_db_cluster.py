"""AWS::RDS::UnprotectDbCluster, with scripted clusters."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from core_lib.execute import Again, Done
from core_lib.execute.actions.rds_unprotect_db_cluster import SECONDS_BETWEEN_TRIES, RdsUnprotectDbCluster
from core_lib.framework.models import Target
from tests.builders.contexts import ACCOUNT, context_of
from tests.builders.scripted import names, refusal, scripted

KIND = "AWS::RDS::UnprotectDbCluster"
ACTION = RdsUnprotectDbCluster()


def rds(protected: bool = True, **more: Any) -> Any:
    cluster = {"DBClusterIdentifier": "orders", "DeletionProtection": protected}
    answers = {"describe_db_clusters": {"DBClusters": [cluster]}, "modify_db_cluster": {"DBCluster": cluster}}
    return scripted("rds", **answers | more)


def context(client: Any, **scratch: str) -> Any:
    return context_of(KIND, {"rds": client}, scratch=scratch or None, DbClusterIdentifier="orders")


@pytest.mark.example("AWS::RDS::UnprotectDbCluster")
def test_protection_when_on_then_it_is_remembered_and_switched_off_once_more_after_a_killed_worker() -> None:
    client = rds()
    assert ACTION.start(context(client)) == Again(0, {"protected": "orders"})
    assert "modify_db_cluster" not in names(client)
    ctx = context(client, protected="orders")
    assert ACTION.check(ctx) == ACTION.check(ctx) == Done(message="unprotected")
    asked = {"DBClusterIdentifier": "orders", "DeletionProtection": False, "ApplyImmediately": True}
    assert client.calls[-1] == ("modify_db_cluster", asked)


def test_protection_when_off_already_then_nothing_changes_and_undo_does_not_protect() -> None:
    client = rds(protected=False)
    assert ACTION.start(context(client)) == Done(changed=False, message="it is not protected")
    assert ACTION.undo(context(client)) == Done(changed=False, message="it was not protected before")
    assert names(client) == ["describe_db_clusters"]


def test_protection_when_there_is_no_cluster_then_that_is_fine() -> None:
    client = rds(describe_db_clusters=refusal("DBClusterNotFoundFault"))
    assert ACTION.start(context(client)) == Done(changed=False, message="there is no such cluster")


def test_protection_when_the_cluster_vanishes_meanwhile_then_that_is_fine() -> None:
    client = rds(modify_db_cluster=refusal("DBClusterNotFoundFault"))
    assert ACTION.check(context(client, protected="orders")) == Done(changed=False, message="the cluster is gone")


def test_protection_when_the_cluster_is_being_changed_then_that_is_waited_for() -> None:
    client = rds(modify_db_cluster=refusal("InvalidDBClusterStateFault"))
    step = ACTION.check(context(client, protected="orders"))
    assert step == Again(SECONDS_BETWEEN_TRIES, {"protected": "orders"}, "the cluster is being changed")


@pytest.mark.undo("AWS::RDS::UnprotectDbCluster")
def test_undo_when_it_was_protected_then_it_is_again() -> None:
    client = rds()
    assert ACTION.undo(context(client, protected="orders")) == Done(message="protected")
    assert client.calls[-1][1]["DeletionProtection"] is True


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling"])
def test_protection_when_aws_says_no_then_the_engine_judges_it(code: str) -> None:
    with pytest.raises(ClientError, match=code):
        ACTION.start(context(rds(describe_db_clusters=refusal(code))))
    with pytest.raises(ClientError, match=code):
        ACTION.check(context(rds(modify_db_cluster=refusal(code)), protected="orders"))


def test_scope_when_the_cluster_is_named_then_only_it_may_be_modified() -> None:
    permissions = RdsUnprotectDbCluster.scope(
        {"DbClusterIdentifier": "orders"}, Target(account=ACCOUNT, region="eu-west-1"), "aws"
    )
    assert permissions["rds:ModifyDBCluster"] == (f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:orders",)
