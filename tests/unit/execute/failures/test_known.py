"""Known causes: the errors AWS really gives are recognised, and lead to the right advice."""

from __future__ import annotations

import re

import pytest

from core_lib.execute.failures import KNOWN_CAUSES, is_transient, known_cause
from core_lib.framework.models import Cause, ErrorInfo

DENIED = "CreateBucket: AccessDenied: User: arn:aws:sts::111122223333:assumed-role/Deploy/x is not authorized to perform: {}"


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (DENIED.format("s3:CreateBucket with an explicit deny in a service control policy"), "denied-by-scp"),
        (DENIED.format("s3:CreateBucket because no permissions boundary allows the action"), "denied-by-boundary"),
        (DENIED.format("s3:CreateBucket because no session policy allows the action"), "denied-by-session-policy"),
        (DENIED.format("sqs:SendMessage because no resource-based policy allows the action"), "denied-by-resource-policy"),
        (DENIED.format("s3:CreateBucket because no identity-based policy allows the action"), "access-denied"),
        (DENIED.format("iam:PassRole on resource: arn:aws:iam::111122223333:role/app"), "pass-role"),
        (DENIED.format("kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/abc"), "kms-access"),
        ("The maximum number of VPCs has been reached. (Status Code: 400; Error Code: VpcLimitExceeded)", "limit-exceeded"),
        ("logs-prod already exists in stack arn:aws:cloudformation:eu-west-1:1:stack/x/y", "already-exists"),
        ("Resource handler returned message: null (HandlerErrorCode: AlreadyExists)", "already-exists"),
        ("The role defined for the function cannot be assumed by Lambda.", "iam-propagation"),
        ("Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:role/new\"", "iam-propagation"),
        ("Parameters: [Cidr] must have values", "invalid-parameter"),
        ("Export hub-vpc cannot be deleted as it is in use by spoke-1", "export-in-use"),
        ("No export named hub-vpc found. Rollback requested by user.", "export-missing"),
        ("CreateChangeSet: InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]",
         "insufficient-capabilities"),
        ("DescribeStacks: OptInRequired: The AWS Access Key Id needs a subscription for the service", "region-disabled"),
        ("DescribeStacks: InvalidClientTokenId: The security token included in the request is invalid.", "region-disabled"),
        ("CreateChangeSet: Throttling: Rate exceeded", "throttling"),
        ("DescribeStacks: ExpiredToken: The security token included in the request is expired", "expired-token"),
        ("Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
         "service-linked-role"),
        ("The bucket you tried to delete is not empty. (Service: S3; Error Code: BucketNotEmpty)", "bucket-not-empty"),
        ("resource sg-0a1b2c3d has a dependent object (Error Code: DependencyViolation)", "in-use"),
        ("the stack is UPDATE_ROLLBACK_FAILED: The following resource(s) failed to update: [Db].", "stack-stuck"),
        ("We currently do not have sufficient m7g.large capacity in the Availability Zone", "capacity"),
        ("Failed to receive 1 resource signal(s) within the specified duration", "not-stabilised"),
    ],
)  # fmt: skip
def test_cause_when_aws_says_so_then_it_is_known(message: str, name: str) -> None:
    found = known_cause(ErrorInfo(code="CORE-4003", message=message))
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(("code", "name"), [("CORE-4001", "role-not-assumable"), ("CORE-5001", "locked"), ("CORE-5002", "moved")])
def test_cause_when_the_code_is_ours_then_it_decides(code: str, name: str) -> None:
    found = known_cause(ErrorInfo(code=code, message="AccessDenied"))
    assert found is not None
    assert found.name == name


def test_cause_when_nobody_has_seen_it_then_nothing_is_claimed() -> None:
    assert known_cause(ErrorInfo(code="CORE-4003", message="the moon is in the wrong phase")) is None


@pytest.mark.parametrize(
    ("message", "cause", "transient"),
    [
        ("CreateChangeSet: Throttling: Rate exceeded", Cause.PERMANENT, True),
        ("The role defined for the function cannot be assumed by Lambda.", Cause.PERMANENT, True),
        ("something new", Cause.TRANSIENT, True),
        ("something new", Cause.THROTTLED, True),
        ("something new", Cause.TIMEOUT, False),
        ("logs already exists", Cause.PERMANENT, False),
    ],
)
def test_transient_when_waiting_helps_then_true(message: str, cause: Cause, transient: bool) -> None:
    assert is_transient(ErrorInfo(code="CORE-4003", message=message, cause=cause)) is transient


def test_table_when_read_then_names_are_unique_patterns_compile_and_each_entry_says_how_it_is_found() -> None:
    names = [cause.name for cause in KNOWN_CAUSES]
    assert len(set(names)) == len(names)
    for cause in KNOWN_CAUSES:
        re.compile(cause.pattern)
        assert bool(cause.pattern) != bool(cause.codes)
        assert cause.title
        assert cause.fix
