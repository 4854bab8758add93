"""Stacks in the states that people need help with, really brought about in the embedded cloud."""

from __future__ import annotations

import json
import time
from typing import Any

Clients = Any
"""`direct` of a rehearsal: a service's name -> a client in the target."""

PATIENCE = 15.0


def until(cloudformation: Any, stack: str, *statuses: str) -> str:
    """Wait until the stack has one of these statuses (without any: until nothing is in progress)."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        status = str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        if status in statuses or (not statuses and not status.endswith("_IN_PROGRESS")):
            return status
        time.sleep(0.05)
    raise AssertionError(f"{stack} is {status}, not {statuses}")


def template(resources: dict[str, Any]) -> str:
    return json.dumps({"Resources": resources})


def waiting(*, after: list[str] | None = None, seconds: int = 1) -> dict[str, Any]:
    """A wait condition nobody fulfils: what holds it fails after so many seconds."""
    return {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "DependsOn": [*(after or []), "Handle"],
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": str(seconds)},
        },
    }


def rollback_complete(direct: Clients, name: str) -> str:
    """A first creation that failed."""
    direct("cloudformation").create_stack(StackName=name, TemplateBody=template(waiting()))
    return until(direct("cloudformation"), name, "ROLLBACK_COMPLETE")


def create_failed(direct: Clients, name: str) -> str:
    """A first creation that failed and was kept for inspection."""
    direct("cloudformation").create_stack(StackName=name, OnFailure="DO_NOTHING", TemplateBody=template(waiting()))
    return until(direct("cloudformation"), name, "CREATE_FAILED")


def review_in_progress(direct: Clients, name: str) -> str:
    """A change set for a new stack that nobody executes."""
    parameter = {"Item": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": f"/{name}", "Type": "String", "Value": "1"}}}
    direct("cloudformation").create_change_set(
        StackName=name, ChangeSetName="waiting", ChangeSetType="CREATE", TemplateBody=template(parameter)
    )
    return until(direct("cloudformation"), name, "REVIEW_IN_PROGRESS")


def full_repositories(direct: Clients, name: str, *repositories: str) -> None:
    """A stack whose image repositories hold images, so that they cannot be deleted, and a parameter that can."""
    resources: dict[str, Any] = {
        repository.capitalize(): {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": f"{name}-{repository}"}}
        for repository in repositories
    }
    resources["Item"] = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": f"/{name}", "Type": "String", "Value": "1"}}
    direct("cloudformation").create_stack(StackName=name, TemplateBody=template(resources))
    until(direct("cloudformation"), name, "CREATE_COMPLETE")
    for repository in repositories:
        direct("ecr").put_image(repositoryName=f"{name}-{repository}", imageManifest='{"schemaVersion": 2}', imageTag="latest")


def delete_failed(direct: Clients, name: str) -> str:
    """A deletion that failed on one resource."""
    full_repositories(direct, name, "images")
    direct("cloudformation").delete_stack(StackName=name)
    return until(direct("cloudformation"), name, "DELETE_FAILED")


def update_rollback_failed(direct: Clients, name: str, *, filters: int = 1) -> str:
    """An update that failed, and whose rollback failed as well: the log group that its filters need was deleted meanwhile."""
    names = [f"Filter{number}" for number in range(filters)]
    cloudformation, group = direct("cloudformation"), f"/{name}"
    metric = {"MetricName": "errors", "MetricNamespace": "test", "MetricValue": "1"}

    def matching(pattern: str) -> dict[str, Any]:
        properties = {"LogGroupName": group, "FilterPattern": pattern, "MetricTransformations": [metric]}
        return {
            each: {"Type": "AWS::Logs::MetricFilter", "Properties": {**properties, "FilterName": f"{name}-{each}"}}
            for each in names
        }

    direct("logs").create_log_group(logGroupName=group)
    cloudformation.create_stack(StackName=name, TemplateBody=template(matching("old")))
    until(cloudformation, name, "CREATE_COMPLETE")
    cloudformation.update_stack(StackName=name, TemplateBody=template(matching("new") | waiting(after=names)))
    deadline = time.monotonic() + PATIENCE
    while not _begun(cloudformation, name, "Wait"):
        assert time.monotonic() < deadline, "the update never came to its wait condition"
        time.sleep(0.05)
    direct("logs").delete_log_group(logGroupName=group)
    return until(cloudformation, name, "UPDATE_ROLLBACK_FAILED")


def _begun(cloudformation: Any, stack: str, resource: str) -> bool:
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    return any(event["LogicalResourceId"] == resource for event in events)
