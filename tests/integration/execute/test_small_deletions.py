"""Invalidations, repositories and load balancers through the real engine, against the embedded cloud."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.framework.models import ActionStatus
from tests.builders.plans import action, example
from tests.integration.execute.conftest import Rehearsal

ORIGIN = {
    "Id": "o", "DomainName": "www.example.com",
    "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
}  # fmt: skip
BEHAVIOUR = {
    "TargetOriginId": "o", "ViewerProtocolPolicy": "https-only", "MinTTL": 0,
    "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
}  # fmt: skip
PROTECTION = "deletion_protection.enabled"


def distribution(rehearsal: Rehearsal) -> str:
    config = {
        "CallerReference": "a", "Origins": {"Quantity": 1, "Items": [ORIGIN]}, "DefaultCacheBehavior": BEHAVIOUR,
        "Comment": "", "Enabled": True,
    }  # fmt: skip
    made = rehearsal.direct("cloudfront").create_distribution(DistributionConfig=config)
    return str(made["Distribution"]["Id"])


@pytest.mark.example("AWS::CreateCloudFrontInvalidation")
async def test_invalidation_when_run_then_the_distribution_has_it_once(rehearsal: Rehearsal) -> None:
    identity = distribution(rehearsal)
    outcome = await rehearsal.run(
        example("it", "AWS::CreateCloudFrontInvalidation", target=rehearsal.target, DistributionId=identity)
    )
    assert outcome["it"].status is ActionStatus.SUCCEEDED
    listed = rehearsal.direct("cloudfront").list_invalidations(DistributionId=identity)["InvalidationList"]["Items"]
    assert [item["Id"] for item in listed] == [outcome["it"].outputs["InvalidationId"]]


async def test_invalidation_when_there_is_no_such_distribution_then_it_fails_for_good(rehearsal: Rehearsal) -> None:
    spec = {"DistributionId": "ENOWHERE"}
    outcome = await rehearsal.run(action("it", "AWS::CreateCloudFrontInvalidation", target=rehearsal.target, spec=spec))
    assert outcome["it"].error is not None
    assert "NoSuchDistribution" in outcome["it"].error.message


@pytest.mark.example("AWS::DeleteEcrRepository")
async def test_repository_when_deleted_then_it_is_gone_and_a_second_time_is_fine(rehearsal: Rehearsal) -> None:
    registry = rehearsal.direct("ecr")
    registry.create_repository(repositoryName="shop/web")
    registry.put_image(repositoryName="shop/web", imageManifest='{"schemaVersion": 2}', imageTag="1")
    delete = example("it", "AWS::DeleteEcrRepository", target=rehearsal.target)
    careful = example("it", "AWS::DeleteEcrRepository", target=rehearsal.target, Force=False)
    assert (await rehearsal.run(careful))["it"].status is ActionStatus.FAILED
    assert (await rehearsal.run(delete))["it"].changed is True
    assert (await rehearsal.run(delete))["it"].changed is False
    assert registry.describe_repositories()["repositories"] == []


def protected(client: Any, arn: str) -> str:
    attributes = client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return next(str(item["Value"]) for item in attributes if item["Key"] == PROTECTION)


@pytest.mark.example("AWS::UnprotectELB")
async def test_load_balancer_when_unprotected_then_it_is_and_an_undone_run_protects_it_again(rehearsal: Rehearsal) -> None:
    client = rehearsal.direct("elbv2")
    subnets = [subnet["SubnetId"] for subnet in rehearsal.direct("ec2").describe_subnets()["Subnets"]]
    arn = client.create_load_balancer(Name="web", Subnets=subnets[:2])["LoadBalancers"][0]["LoadBalancerArn"]
    client.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{"Key": PROTECTION, "Value": "true"}])
    unprotect = example("it", "AWS::UnprotectELB", target=rehearsal.target, LoadBalancer=arn).but(on_failure="undo")
    doomed = action(
        "bad", "AWS::GetStackOutputs", target=rehearsal.target, spec={"StackName": "no"}, after=["it"], on_failure="undo"
    )
    undone = await rehearsal.run(unprotect, doomed)
    assert undone["it"].status is ActionStatus.CANCELLED
    assert protected(client, arn) == "true"
    assert (await rehearsal.run(unprotect))["it"].changed is True
    assert protected(client, arn) == "false"
    assert (await rehearsal.run(unprotect))["it"].changed is False
