"""AWS::KMS::CreateGrants and AWS::RDS::ModifyDbInstance through the real engine against the embedded cloud."""

from __future__ import annotations

import pytest

from core_lib.framework.models import ActionStatus
from tests.builders.plans import action, example
from tests.integration.execute.conftest import Rehearsal


async def test_grants_when_made_twice_then_they_are_there_once_and_undoing_revokes_only_new_ones(rehearsal: Rehearsal) -> None:
    kms = rehearsal.direct("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    roles = [f"arn:aws:iam::{rehearsal.account}:role/r{number}" for number in range(3)]
    spec = {"KmsKeyArn": key, "GranteePrincipals": roles[:1], "Operations": ["Encrypt", "Decrypt"]}
    one = action("one", "AWS::KMS::CreateGrants", target=rehearsal.target, spec=spec)
    first, second = await rehearsal.run(one), await rehearsal.run(one)
    assert (first["one"].changed, second["one"].changed) == (True, False)
    assert first["one"].outputs["GrantIds"] == second["one"].outputs["GrantIds"]
    more = action(
        "more", "AWS::KMS::CreateGrants", target=rehearsal.target, spec=spec | {"GranteePrincipals": roles}, on_failure="undo"
    )  # fmt: skip
    bad = action(
        "bad", "AWS::GetStackOutputs", target=rehearsal.target, after=["more"], spec={"StackName": "no"}, on_failure="undo"
    )
    assert (await rehearsal.run(more, bad))["more"].status is ActionStatus.CANCELLED
    assert [grant["GranteePrincipal"] for grant in kms.list_grants(KeyId=key)["Grants"]] == roles[:1]


async def test_database_when_modified_then_it_is_so_and_a_deferred_change_waits_for_its_window(rehearsal: Rehearsal) -> None:
    rds = rehearsal.direct("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="shop", DBInstanceClass="db.t3.small", Engine="postgres", AllocatedStorage=20, MasterUsername="root",
        MasterUserPassword="not-a-secret-at-all",
    )  # fmt: skip

    def modify(storage: int, now: bool) -> object:
        spec = {"ApiParams": {"DBInstanceIdentifier": "shop", "AllocatedStorage": storage}, "ApplyImmediately": now}
        return action("it", "AWS::RDS::ModifyDbInstance", target=rehearsal.target, spec=spec)

    assert (await rehearsal.run(modify(40, now=True)))["it"].message == "modified: AllocatedStorage"
    assert rds.describe_db_instances()["DBInstances"][0]["AllocatedStorage"] == 40
    assert (await rehearsal.run(modify(40, now=True)))["it"].changed is False
    deferred = await rehearsal.run(modify(50, now=False))
    assert "waits for the maintenance window" in (deferred["it"].message or "")
    assert deferred["it"].outputs["Pending"] == ["AllocatedStorage"]
    assert (await rehearsal.run(modify(50, now=False)))["it"].changed is False


@pytest.mark.example("AWS::KMS::CreateGrants", but=("KmsKeyId",))
async def test_grants_when_the_example_runs_then_its_principal_may_use_the_key(rehearsal: Rehearsal) -> None:
    kms = rehearsal.direct("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    grants = example("it", "AWS::KMS::CreateGrants", target=rehearsal.target, KmsKeyId=key)
    assert (await rehearsal.run(grants))["it"].outputs["FailedGrants"] == {}
    (grant,) = kms.list_grants(KeyId=key)["Grants"]
    assert [grant["GranteePrincipal"]] == grants.spec["GranteePrincipals"]
    assert sorted(grant["Operations"]) == sorted(grants.spec["Operations"])


@pytest.mark.example("AWS::RDS::ModifyDbInstance")
async def test_database_when_the_example_runs_then_it_is_of_the_class_asked_for(rehearsal: Rehearsal) -> None:
    rds = rehearsal.direct("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="shop", DBInstanceClass="db.t3.small", Engine="postgres", AllocatedStorage=20, MasterUsername="root",
        MasterUserPassword="not-a-secret-at-all",
    )  # fmt: skip
    modify = example("it", "AWS::RDS::ModifyDbInstance", target=rehearsal.target)
    asked = modify.spec["ApiParams"] | {"DBInstanceIdentifier": "shop"}
    outcome = await rehearsal.run(modify.but(spec=modify.spec | {"ApiParams": asked}))
    assert outcome["it"].error is None
    (instance,) = rds.describe_db_instances()["DBInstances"]
    assert (instance["DBInstanceClass"], instance["MultiAZ"]) == ("db.r6g.large", True)
