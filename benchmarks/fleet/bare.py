"""The floor: the calls that the engine makes for a new stack, in the same order, from a plain thread pool."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.fleet.world import CONCURRENCY, PAUSE, ROLE, STACKS, Fleet, template
from core_lib.framework.models import Target

CONFIG = Config(retries={"mode": "standard"}, max_pool_connections=CONCURRENCY)


def deploy_bare(made: Fleet) -> None:
    """Deploy the chain into every target. The role of an account is assumed once, and boto3's session is shared."""
    session = boto3.Session()
    sts = session.client("sts", region_name="us-east-1", config=CONFIG)

    @cache
    def credentials(account: str) -> dict[str, str]:
        answer = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{ROLE}", RoleSessionName="bare")["Credentials"]
        return {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        }

    # Clients come from one thread: boto3's session is not safe to make them in several.
    clients = {
        target.key: session.client("cloudformation", target.region, config=CONFIG, **credentials(target.account))
        for target in made.targets
    }
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        list(pool.map(lambda target: _chain(clients[target.key], target), made.targets))


def _chain(client: Any, target: Target) -> None:
    list(client.get_paginator("describe_stacks").paginate())
    value = target.account
    for stack in STACKS:
        value = _stack(client, stack, f"bare-{target.account}-{target.region}-{stack}", value)


def _stack(client: Any, stack: str, change_set: str, value: str) -> str:
    """Create a stack through a change set; its output."""
    parameters = [{"ParameterKey": "Value", "ParameterValue": value}]
    made = client.create_change_set(
        StackName=stack, ChangeSetName=change_set, ChangeSetType="CREATE", TemplateBody=template(stack), Parameters=parameters,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )  # fmt: skip
    stack_id, change_set = made["StackId"], made["Id"]
    while client.describe_change_set(StackName=stack_id, ChangeSetName=change_set)["Status"] != "CREATE_COMPLETE":
        time.sleep(PAUSE)
    client.execute_change_set(StackName=stack_id, ChangeSetName=change_set)
    time.sleep(PAUSE)
    while (found := client.describe_stacks(StackName=stack_id)["Stacks"][0])["StackStatus"] != "CREATE_COMPLETE":
        time.sleep(PAUSE)
    client.describe_change_set(StackName=stack_id, ChangeSetName=change_set)
    client.describe_stack_events(StackName=stack_id)
    return str(found["Outputs"][0]["OutputValue"])
