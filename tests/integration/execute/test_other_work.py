"""Kinds that start work elsewhere and wait for it, and those that leave values behind: functions, machines, builds, alarms."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from core_lib.framework.models import ActionStatus
from tests.builders.plans import action, example
from tests.integration.execute.conftest import Rehearsal

FUNCTION = """
def handler(event, context):
    if event.get("break"):
        raise ValueError("no luck")
    return {"pages": event["Pages"], "by": "function"}
"""
BROKEN = {"StackName": "nowhere"}


def function(rehearsal: Rehearsal) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("index.py", FUNCTION)
    rehearsal.direct("lambda").create_function(
        FunctionName="warm-the-cache", Runtime="python3.11", Role=f"arn:aws:iam::{rehearsal.account}:role/x",
        Handler="index.handler", Code={"ZipFile": archive.getvalue()},
    )  # fmt: skip


def machine(rehearsal: Rehearsal, state: dict[str, Any]) -> str:
    definition = {"StartAt": "Only", "States": {"Only": state}}
    made = rehearsal.direct("stepfunctions").create_state_machine(
        name="migrate-data", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{rehearsal.account}:role/x"
    )
    return str(made["stateMachineArn"])


@pytest.mark.example("AWS::InvokeLambda")
async def test_function_when_invoked_then_its_answer_is_an_output_and_its_error_a_failure(rehearsal: Rehearsal) -> None:
    function(rehearsal)
    outcome = await rehearsal.run(example("it", "AWS::InvokeLambda", target=rehearsal.target))
    assert outcome["it"].error is None
    assert outcome["it"].outputs["Payload"] == {"pages": ["/", "/basket"], "by": "function"}
    outcome = await rehearsal.run(example("it", "AWS::InvokeLambda", target=rehearsal.target, Payload={"break": True}))
    assert outcome["it"].error is not None
    assert "no luck" in outcome["it"].error.message


@pytest.mark.example("AWS::StartStepFunction", but=("StateMachineArn",))
async def test_state_machine_when_started_then_its_output_is_kept_and_a_failure_is_told(rehearsal: Rehearsal) -> None:
    arn = machine(rehearsal, {"Type": "Pass", "End": True})
    outcome = await rehearsal.run(example("it", "AWS::StartStepFunction", target=rehearsal.target, StateMachineArn=arn))
    assert outcome["it"].error is None
    assert outcome["it"].outputs["Output"] == {"Build": "7"}
    rehearsal.direct("stepfunctions").delete_state_machine(stateMachineArn=arn)
    arn = machine(rehearsal, {"Type": "Fail", "Error": "Full", "Cause": "no space is left"})
    outcome = await rehearsal.run(example("it", "AWS::StartStepFunction", target=rehearsal.target, StateMachineArn=arn))
    assert outcome["it"].error is not None
    assert "FAILED: Full: no space is left" in outcome["it"].error.message


@pytest.mark.example("AWS::RunCodeBuild")
async def test_build_when_run_then_it_is_waited_for(rehearsal: Rehearsal) -> None:
    rehearsal.direct("codebuild").create_project(
        name="smoke-tests", source={"type": "NO_SOURCE", "buildspec": "version: 0.2"}, artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL"},
        serviceRole=f"arn:aws:iam::{rehearsal.account}:role/x",
    )  # fmt: skip
    build = example("it", "AWS::RunCodeBuild", target=rehearsal.target)
    variables = build.spec["EnvironmentVariables"] | {"ADDRESS": "https://shop.example.com"}
    outcome = await rehearsal.run(build.but(spec=build.spec | {"EnvironmentVariables": variables}))
    assert outcome["it"].error is None
    assert outcome["it"].outputs["BuildId"].startswith("smoke-tests:")


@pytest.mark.example("AWS::WaitForAlarm", but=("Watch", "Until"))
async def test_alarms_when_watched_then_calm_ones_pass_and_one_that_goes_off_fails(rehearsal: Rehearsal) -> None:
    cloudwatch = rehearsal.direct("cloudwatch")
    for name in ("shop-5xx", "shop-latency"):
        cloudwatch.put_metric_alarm(
            AlarmName=name, Namespace="Acme", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="calm")
    calm = await rehearsal.run(example("it", "AWS::WaitForAlarm", target=rehearsal.target, Watch=1, Until="OK"))
    assert calm["it"].outputs == {"States": {"shop-5xx": "OK", "shop-latency": "OK"}}
    cloudwatch.set_alarm_state(AlarmName="shop-5xx", StateValue="ALARM", StateReason="too many errors")
    off = await rehearsal.run(example("it", "AWS::WaitForAlarm", target=rehearsal.target))
    assert off["it"].error is not None
    assert off["it"].error.message == "an alarm went off: shop-5xx: too many errors"


@pytest.mark.example("AWS::PutParameter")
@pytest.mark.undo("AWS::PutParameter")
async def test_parameter_when_put_then_a_second_run_writes_nothing_and_undo_brings_the_earlier_value_back(
    rehearsal: Rehearsal,
) -> None:
    name = "/shop/database/host"
    ssm = rehearsal.direct("ssm")
    wanted = example("it", "AWS::PutParameter", target=rehearsal.target, Value="one", Tags={"Owner": "shop"})
    assert (await rehearsal.run(wanted))["it"].outputs == {"Name": name, "Version": 1}
    second = (await rehearsal.run(wanted))["it"]
    assert (second.changed, second.outputs["Version"]) == (False, 1)
    other = example("it", "AWS::PutParameter", target=rehearsal.target, Value="two")
    fails = action("bad", "AWS::GetStackOutputs", target=rehearsal.target, after=["it"], spec=BROKEN, on_failure="undo")
    outcome = await rehearsal.run(other, fails)
    assert outcome["it"].status is ActionStatus.CANCELLED
    found = ssm.get_parameter(Name=name)["Parameter"]
    assert (found["Value"], found["Version"]) == ("one", 3)


@pytest.mark.example("AWS::UploadContext", but=("BucketName",))
@pytest.mark.undo("AWS::UploadContext")
async def test_context_when_uploaded_then_outputs_are_readable_in_all_formats_and_undo_deletes_them(rehearsal: Rehearsal) -> None:
    s3 = rehearsal.direct("s3")
    bucket = f"context-{rehearsal.account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    gives = action("net", "AWS::PutParameter", target=rehearsal.target, spec={"Name": "/a", "Value": "x"})
    upload = example("it", "AWS::UploadContext", target=rehearsal.target, after=["net"], BucketName=bucket)
    outcome = await rehearsal.run(gives, upload)
    assert outcome["it"].error is None
    found = s3.get_object(Bucket=bucket, Key="web/shop/main/7/context.json")
    assert json.loads(found["Body"].read()) == {"net": {"Name": "/a", "Version": 1}}
    assert found["ServerSideEncryption"] == "AES256"
    shell = s3.get_object(Bucket=bucket, Key="web/shop/main/7/context.sh")["Body"].read().decode()
    assert shell == "export NET_NAME=/a\nexport NET_VERSION=1\n"
    fails = action("bad", "AWS::GetStackOutputs", target=rehearsal.target, after=["it"], spec=BROKEN, on_failure="undo")
    again = example("it", "AWS::UploadContext", target=rehearsal.target, after=["net"], BucketName=bucket, Prefix="other")
    undone = await rehearsal.run(gives, again, fails)
    assert undone["it"].status is ActionStatus.CANCELLED
    assert [item["Key"].partition("/")[0] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["web"] * 3
