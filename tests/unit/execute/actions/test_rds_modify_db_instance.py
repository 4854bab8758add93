"""AWS::RDS::ModifyDbInstance with a scripted RDS: modifications that take time, wait for a window, or are refused."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from core_lib.execute import Again, Done, Failed, validate_spec
from core_lib.execute.actions.rds_modify_db_instance import MOST_CALM_LOOKS, RdsModifyDbInstance
from core_lib.execute.databases.instance import differences
from core_lib.framework.errors import SchemaError
from core_lib.framework.models import Cause, Target
from tests.builders.contexts import ACCOUNT, context_of
from tests.builders.scripted import names, refusal, scripted
from tests.builders.steps import drive

ACTION = RdsModifyDbInstance()
KIND = "AWS::RDS::ModifyDbInstance"


def instance(status: str = "available", pending: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    found = {
        "DBInstanceIdentifier": "shop", "DBInstanceStatus": status, "DBInstanceClass": "db.t3.small", "AllocatedStorage": 20,
        "DBInstanceArn": "arn:aws:rds:eu-west-1:111111111111:db:shop", "Endpoint": {"Address": "shop.rds", "Port": 5432},
        "PreferredMaintenanceWindow": "sun:05:00-sun:06:00", "PendingModifiedValues": pending or {},
    } | more  # fmt: skip
    return {"DBInstances": [found]}


def rds(*looks: Any, **more: Any) -> Any:
    answers = list(looks)
    modified = {"modify_db_instance": {"DBInstance": instance()["DBInstances"][0]}}
    return scripted(
        "rds", describe_db_instances=lambda **_: answers.pop(0) if len(answers) > 1 else answers[0], **(modified | more)
    )


def contexts(client: Any, immediately: bool | None = True, **params: Any) -> Any:
    asked = {"DBInstanceIdentifier": "shop"} | (params or {"AllocatedStorage": 40})
    return lambda scratch: context_of(KIND, {"rds": client}, scratch=scratch, ApiParams=asked, ApplyImmediately=immediately)


def test_instance_when_modified_at_once_then_it_is_done_when_nothing_is_pending_any_more() -> None:
    client = rds(
        instance(), instance(), instance(pending={"AllocatedStorage": 40}), instance("modifying", {"AllocatedStorage": 40}),
        instance(AllocatedStorage=40),
    )  # fmt: skip
    done, _ = drive(ACTION, contexts(client))
    assert isinstance(done, Done)
    assert (done.changed, done.message) == (True, "modified: AllocatedStorage")
    assert done.outputs == {
        "DBInstanceIdentifier": "shop", "DBInstanceArn": "arn:aws:rds:eu-west-1:111111111111:db:shop", "Status": "available",
        "EndpointAddress": "shop.rds", "EndpointPort": 5432, "Pending": [],
    }  # fmt: skip
    assert names(client).count("modify_db_instance") == 1
    assert dict(client.calls)["modify_db_instance"]["ApplyImmediately"] is True


def test_instance_when_it_has_the_values_then_nothing_is_asked_for() -> None:
    client = rds(instance(AllocatedStorage=40))
    done, _ = drive(ACTION, contexts(client))
    assert isinstance(done, Done)
    assert not done.changed
    assert names(client) == ["describe_db_instances"]


def test_instance_when_the_change_waits_for_the_window_then_it_is_done_at_once_and_again_changes_nothing() -> None:
    waiting = instance(pending={"AllocatedStorage": 40})
    done, _ = drive(ACTION, contexts(rds(instance(), instance(), waiting), immediately=None))
    assert isinstance(done, Done)
    assert done.message == "waits for the maintenance window (sun:05:00-sun:06:00): AllocatedStorage"
    assert done.outputs["Pending"] == ["AllocatedStorage"]
    again, _ = drive(ACTION, contexts(rds(waiting), immediately=None))
    assert isinstance(again, Done)
    assert not again.changed


def test_instance_when_a_waiting_change_is_wanted_now_then_it_is_asked_for() -> None:
    client = rds(
        instance(pending={"AllocatedStorage": 40}), instance(pending={"AllocatedStorage": 40}), instance(AllocatedStorage=40)
    )
    done, _ = drive(ACTION, contexts(client))
    assert isinstance(done, Done)
    assert "modify_db_instance" in names(client)


def test_instance_when_somebody_else_modifies_it_then_that_is_waited_for() -> None:
    client = rds(instance("backing-up"), instance("backing-up"), instance(), instance(), instance(AllocatedStorage=40))
    assert isinstance(ACTION.start(contexts(client)({})), Again)
    assert "modify_db_instance" not in names(client)
    assert isinstance(drive(ACTION, contexts(client))[0], Done)


def test_instance_when_killed_between_the_call_and_the_ledger_then_it_is_not_modified_twice() -> None:
    asking = {"stage": "asking", "names": ["AllocatedStorage"]}
    client = rds(instance("modifying"), instance(AllocatedStorage=40))
    waiting = ACTION.check(contexts(client)(asking))
    assert isinstance(waiting, Again)
    done = ACTION.check(contexts(client)(dict(waiting.scratch or {})))
    assert isinstance(done, Done)
    assert done.changed
    assert "modify_db_instance" not in names(client)


def test_instance_when_rds_is_ahead_of_its_answer_then_asking_again_is_no_failure() -> None:
    client = rds(instance(), modify_db_instance=refusal("InvalidDBInstanceState"))
    step = ACTION.check(contexts(client)({"stage": "asking", "names": ["AllocatedStorage"]}))
    assert isinstance(step, Again)
    assert step.scratch is None


def test_instance_when_a_value_stays_pending_then_it_fails_and_names_it() -> None:
    client = rds(instance(), instance(), instance(pending={"AllocatedStorage": 40}))
    failed, _ = drive(ACTION, contexts(client), most=MOST_CALM_LOOKS + 5)
    assert isinstance(failed, Failed)
    assert (failed.cause, failed.message) == (Cause.TIMEOUT, "still pending: AllocatedStorage")


def test_instance_when_rds_does_not_show_a_value_then_it_is_done_after_it_was_modified_and_that_is_told() -> None:
    client = rds(instance(), instance(), instance("modifying"), instance())
    done, _ = drive(ACTION, contexts(client, CertificateRotationRestart=False))
    assert isinstance(done, Done)
    assert "does not show as asked for: CertificateRotationRestart" in (done.message or "")


def test_instance_when_renamed_then_it_is_found_by_its_new_name() -> None:
    missing = refusal("DBInstanceNotFound")
    client = rds(instance(), instance(), missing, instance(DBInstanceIdentifier="store"))
    done, _ = drive(ACTION, contexts(client, NewDBInstanceIdentifier="store"))
    assert isinstance(done, Done)
    assert done.outputs["DBInstanceIdentifier"] == "store"


@pytest.mark.parametrize("stage", [{}, {"stage": "modifying", "names": ["AllocatedStorage"], "calm": 0, "worked": True}])
@pytest.mark.parametrize("status", ["storage-full", "incompatible-parameters"])
def test_instance_when_it_is_broken_then_it_fails_and_says_so(stage: dict[str, Any], status: str) -> None:
    ctx = contexts(rds(instance(status)))(stage)
    failed = ACTION.check(ctx) if stage else ACTION.start(ctx)
    assert isinstance(failed, Failed)
    assert status in failed.message


def test_instance_when_absent_then_it_fails_and_says_so() -> None:
    failed = ACTION.start(contexts(rds(refusal("DBInstanceNotFound")))({}))
    assert isinstance(failed, Failed)
    assert "there is no database instance shop" in failed.message


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling", "StorageQuotaExceeded"])
def test_instance_when_rds_says_no_then_the_engine_judges_it(code: str) -> None:
    with pytest.raises(ClientError, match=code):
        drive(ACTION, contexts(rds(instance(), modify_db_instance=refusal(code))))


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ({"EngineVersion": "15"}, {"EngineVersion": "15.4"}),
        ({"MultiAZ": True}, {"MultiAZ": True}),
        (
            {"VpcSecurityGroupIds": ["sg-2", "sg-1"]},
            {"VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1"}, {"VpcSecurityGroupId": "sg-2"}]},
        ),
        ({"DBParameterGroupName": "mine"}, {"DBParameterGroups": [{"DBParameterGroupName": "mine"}]}),
        ({"EnableIAMDatabaseAuthentication": True}, {"IAMDatabaseAuthenticationEnabled": True}),
        ({"PreferredMaintenanceWindow": "Sun:05:00-Sun:06:00"}, {"PreferredMaintenanceWindow": "sun:05:00-sun:06:00"}),
        ({"CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["a"]}}, {"EnabledCloudwatchLogsExports": ["a", "b"]}),
        ({"ManageMasterUserPassword": True}, {"MasterUserSecret": {}}),
        ({"DBPortNumber": 5432}, {"Endpoint": {"Port": 5432}}),
    ],
)  # fmt: skip
def test_differences_when_a_value_has_another_name_or_form_in_the_answer_then_it_is_the_same(
    wanted: dict[str, Any], shown: dict[str, Any]
) -> None:
    assert differences(wanted, shown) == []
    assert differences(wanted, {}) == list(wanted)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"AllocatedStorage": 40}, "DBInstanceIdentifier"),
        ({"DBInstanceIdentifier": "shop", "AllocatedStorag": 40}, "unknown key 'AllocatedStorag'"),
        ({"DBInstanceIdentifier": "shop", "AllocatedStorage": "a lot"}, "AllocatedStorage"),
        ({"DBInstanceIdentifier": "shop", "MasterUserPassword": "x"}, "ManageMasterUserPassword"),
        ({"DBInstanceIdentifier": "shop", "ApplyImmediately": False}, "contradict"),
    ],
)
def test_spec_when_it_does_not_fit_the_api_then_it_is_refused_before_anything_runs(asked: dict[str, Any], problem: str) -> None:
    with pytest.raises(SchemaError, match=problem):
        validate_spec(KIND, {"ApiParams": asked, "ApplyImmediately": True}, allow_runtime=True)


def test_spec_when_expressions_stand_for_values_then_it_is_accepted_until_run_time() -> None:
    asked = {
        "DBInstanceIdentifier": "{{ outputs.db.Id }}",
        "AllocatedStorage": "{{ vars.size }}",
        "VpcSecurityGroupIds": ["{{ outputs.a.Sg }}"],
    }
    assert validate_spec(KIND, {"ApiParams": asked}, allow_runtime=True) == {"ApiParams": asked}


def test_scope_when_the_instance_is_named_then_only_it_may_be_modified() -> None:
    found = RdsModifyDbInstance.scope(
        {"ApiParams": {"DBInstanceIdentifier": "shop"}}, Target(account=ACCOUNT, region="eu-west-1"), "aws"
    )
    assert found["rds:ModifyDBInstance"][0] == f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:shop"
