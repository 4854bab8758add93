"""Passwords that RDS manages, in the embedded cloud's CloudFormation."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from deployments.local import EmbeddedCloud

KEY = "arn:aws:kms:eu-west-1:111111111111:key/one"
KINDS = {
    "AWS::RDS::DBInstance": {"DBInstanceClass": "db.t4g.medium", "AllocatedStorage": "20", "Engine": "postgres"},
    "AWS::RDS::DBCluster": {"Engine": "aurora-postgresql"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_secret_when_a_database_asks_for_a_managed_password_then_it_lives_as_long_as_the_database(
    aws: EmbeddedCloud, kind: str
) -> None:
    cloudformation, secrets = (boto3.client(name, region_name="eu-west-1") for name in ("cloudformation", "secretsmanager"))

    def body(days: int) -> str:
        return json.dumps({"Resources": {"Db": _database(kind, days)}, "Outputs": {"Secret": {"Value": _SECRET}}})

    cloudformation.create_stack(StackName="db", TemplateBody=body(1))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="db", WaiterConfig={"Delay": 1})
    arn = _output(cloudformation)
    assert json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])["username"] == "dbadmin"

    cloudformation.update_stack(StackName="db", TemplateBody=body(2))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="db", WaiterConfig={"Delay": 1})
    assert _output(cloudformation) == arn

    cloudformation.delete_stack(StackName="db")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="db", WaiterConfig={"Delay": 1})
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        secrets.get_secret_value(SecretId=arn)


_SECRET = {"Fn::GetAtt": ["Db", "MasterUserSecret.SecretArn"]}


def _database(kind: str, days: int) -> dict[str, Any]:
    properties = {
        **KINDS[kind],
        "MasterUsername": "dbadmin",
        "ManageMasterUserPassword": True,
        "MasterUserSecret": {"KmsKeyId": KEY},
        "BackupRetentionPeriod": days,
    }
    return {"Type": kind, "DeletionPolicy": "Delete", "Properties": properties}


def _output(cloudformation: Any) -> str:
    return str(cloudformation.describe_stacks(StackName="db")["Stacks"][0]["Outputs"][0]["OutputValue"])
