"""Failures of the same kind share a fingerprint, failures of different kinds do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.execute.failures import fingerprint, normalise, root_cause
from core_lib.framework.models import Cause, ErrorInfo


def error(message: str, code: str = "CORE-4003", cause: Cause = Cause.PERMANENT) -> ErrorInfo:
    return ErrorInfo(code=code, message=message, cause=cause)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "User: arn:aws:sts::111122223333:assumed-role/Deploy/core-1 is not authorized to perform: s3:CreateBucket",
            "User: arn:aws:sts::444455556666:assumed-role/Deploy/core-9 is not authorized to perform: s3:CreateBucket",
        ),
        ("bucket logs-111122223333-eu-west-1 exists", "bucket logs-444455556666-us-east-1 exists"),
        ("vpc-0a1b2c3d4e5f67890 is in use", "vpc-00ff00ff00ff00ff0 is in use"),
        (
            "throttled (Request ID: 1b4e28ba-2fa1-11d2-883f-0016d3cca427)",
            "throttled (Request ID: 6ba7b810-9dad-11d1-80b4-00c04fd430c8)",
        ),
        ("no route to 10.1.2.3", "no route to 10.9.8.7"),
        ("not before 2026-11-23T07:00:00Z", "not before 2026-12-01T19:30:59.123Z"),
        ("in us-gov-west-1", "in eu-central-2"),
        ("request 9XK4J2P0Q7RT5VWZ failed", "request 3AB8C1D9E0F7G6H5 failed"),
    ],
)
def test_fingerprint_when_only_the_place_differs_then_the_same(first: str, second: str) -> None:
    assert fingerprint(error(first)) == fingerprint(error(second))


@pytest.mark.parametrize(
    "other",
    [
        error("s3:CreateBucket is denied", code="CORE-4001"),
        error("s3:CreateBucket is denied", cause=Cause.TRANSIENT),
        error("s3:DeleteBucket is denied"),
    ],
)
def test_fingerprint_when_code_cause_or_words_differ_then_another(other: ErrorInfo) -> None:
    assert fingerprint(error("s3:CreateBucket is denied")) != fingerprint(other)


def test_fingerprint_when_status_codes_differ_then_another() -> None:
    assert fingerprint(error("Status Code: 403")) != fingerprint(error("Status Code: 409"))


def test_normalise_when_names_are_given_then_they_go_longest_first_and_whole_words_only() -> None:
    text = normalise("stack team-1-net of team-1 failed, team-10 did not", ["team-1", "team-1-net"])
    assert text == "stack <name> of <name> failed, team-10 did not"


def test_normalise_when_the_arn_names_a_service_then_the_service_stays() -> None:
    assert normalise("no arn:aws:kms:eu-west-1:111122223333:key/abc here") == "no <arn:kms> here"


def test_normalise_when_lines_are_folded_then_they_become_one() -> None:
    assert normalise("first\n   second\tthird") == "first second third"


@given(st.text(max_size=300))
def test_normalise_when_done_twice_then_nothing_more_happens(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(st.integers(10**11, 10**12 - 1), st.integers(10**11, 10**12 - 1))
def test_fingerprint_when_account_numbers_differ_then_the_same(first: int, second: int) -> None:
    assert fingerprint(error(f"account {first} is closed")) == fingerprint(error(f"account {second} is closed"))


STACK = "the stack ended {0}: {1} (AWS::S3::Bucket) CREATE_FAILED: {2} already exists"


def test_fingerprint_when_stacks_fail_for_the_same_reason_then_status_logical_id_and_what_failed_next_do_not_matter() -> None:
    first = STACK.format("ROLLBACK_COMPLETE", "Logs", "logs-111122223333")
    second = STACK.format("UPDATE_ROLLBACK_COMPLETE", "Archive", "logs-444455556666") + (
        "; Topic (AWS::SNS::Topic) CREATE_FAILED: denied; and 3 more"
    )
    assert fingerprint(error(first)) == fingerprint(error(second))


def test_fingerprint_when_another_type_of_resource_fails_then_another() -> None:
    other = STACK.replace("AWS::S3::Bucket", "AWS::SQS::Queue")
    values = ("ROLLBACK_COMPLETE", "It", "logs")
    assert fingerprint(error(STACK.format(*values))) != fingerprint(error(other.format(*values)))


def test_root_cause_when_the_text_is_not_of_a_stack_then_it_is_the_text() -> None:
    assert root_cause("no route to host") == "no route to host"
    assert root_cause(STACK.format("X", "It", "logs")) == "AWS::S3::Bucket: logs already exists"
