"""What an error means: whether another attempt is worth it, and what a user is told."""

from __future__ import annotations

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError

from core_lib.framework.errors import AssumeRoleError, CoreError, LockedError, MovedError, SchemaError
from core_lib.framework.models import Cause
from core_lib.helper import classify, error_info


def _client_error(code: str, status: int = 400, message: str = "because") -> ClientError:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "r-1"}}
    return ClientError(answer, "CreateStack")


@pytest.mark.parametrize("code", [
    "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown",
    "ProvisionedThroughputExceededException", "PriorRequestNotComplete", "ConcurrentModificationException",
])  # fmt: skip
def test_classify_when_aws_says_too_fast_then_throttled(code: str) -> None:
    assert classify(_client_error(code)) is Cause.THROTTLED


@pytest.mark.parametrize(("code", "status"), [
    ("InternalFailure", 500), ("ServiceUnavailable", 503), ("Whatever", 502), ("RequestTimeout", 400), ("ExpiredToken", 400),
    ("ExpiredTokenException", 403), ("OperationAborted", 409), ("OperationInProgressException", 400),
    ("FinalizingOrganizationException", 400), ("TransactionConflictException", 400),
])  # fmt: skip
def test_classify_when_it_may_work_in_a_moment_then_transient(code: str, status: int) -> None:
    assert classify(_client_error(code, status)) is Cause.TRANSIENT


@pytest.mark.parametrize("code", [
    "AccessDenied", "ValidationError", "AlreadyExistsException", "LimitExceededException", "InsufficientCapabilitiesException",
    "InvalidClientTokenId", "UnauthorizedOperation", "OptInRequired", "ConditionalCheckFailedException",
])  # fmt: skip
def test_classify_when_aws_means_it_then_permanent(code: str) -> None:
    assert classify(_client_error(code)) is Cause.PERMANENT


def test_classify_when_rate_exceeded_hides_in_a_validation_error_then_throttled() -> None:
    assert classify(_client_error("ValidationError", message="Rate exceeded")) is Cause.THROTTLED
    assert classify(_client_error("Anything", 429)) is Cause.THROTTLED


@pytest.mark.parametrize("error", [
    boto.EndpointConnectionError(endpoint_url="http://x"),
    boto.ConnectTimeoutError(endpoint_url="http://x"),
    boto.ReadTimeoutError(endpoint_url="http://x"),
    boto.ConnectionClosedError(endpoint_url="http://x"),
    boto.SSLError(endpoint_url="http://x", error="eof"),
    boto.IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ConnectionResetError("reset"),
    BrokenPipeError(),
    LockedError("held by another run"),
])  # fmt: skip
def test_classify_when_the_network_fails_then_transient(error: Exception) -> None:
    assert classify(error) is Cause.TRANSIENT


def test_classify_when_an_action_ran_out_of_time_then_timeout() -> None:
    assert classify(TimeoutError()) is Cause.TIMEOUT
    assert classify(boto.WaiterError(name="w", reason="Max attempts exceeded", last_response={})) is Cause.TIMEOUT


@pytest.mark.parametrize("error", [
    ValueError("x"), KeyError("x"), boto.NoCredentialsError(),
    boto.ParamValidationError(report="r"), SchemaError("s"), MovedError("m"),
])  # fmt: skip
def test_classify_when_nothing_will_change_then_permanent(error: Exception) -> None:
    assert classify(error) is Cause.PERMANENT


def test_classify_when_error_of_ours_has_a_cause_then_that_decides() -> None:
    error = AssumeRoleError("cannot")
    error.__cause__ = _client_error("Throttling")
    assert classify(error) is Cause.THROTTLED


def test_classify_when_causes_go_in_a_circle_then_ends() -> None:
    first, second = CoreError("a"), CoreError("b")
    first.__cause__, second.__cause__ = second, first
    assert classify(first) is Cause.PERMANENT


def test_error_info_of_aws_error_names_operation_code_request_and_advice() -> None:
    info = error_info(_client_error("AccessDenied", 403, "not authorized to perform iam:CreateRole"), "111111111111/eu-west-1")
    assert info.code == "CORE-4000"
    assert info.message == "CreateStack: AccessDenied: not authorized to perform iam:CreateRole [request r-1]"
    assert info.where == "111111111111/eu-west-1"
    assert info.hint is not None
    assert "deploy role" in info.hint
    assert info.cause is Cause.PERMANENT


def test_error_info_of_our_error_keeps_code_place_and_hint() -> None:
    info = error_info(SchemaError("no such key", where="deployspec.yaml:3", hint="did you mean Name?"), "compile")
    assert (info.code, info.where, info.hint) == ("CORE-1004", "compile: deployspec.yaml:3", "did you mean Name?")


def test_error_info_when_place_is_the_same_then_says_it_once() -> None:
    assert error_info(SchemaError("x", where="a/b"), "a/b").where == "a/b"
    assert error_info(SchemaError("x"), "a/b").where == "a/b"


def test_error_info_of_network_error_gives_advice() -> None:
    info = error_info(boto.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"))
    assert info.hint == "check the network, proxy and AWS_ENDPOINT_URL"


def test_error_info_of_anything_else_names_its_kind() -> None:
    info = error_info(KeyError("Outputs"))
    assert (info.code, info.message) == ("CORE-0000", "KeyError: 'Outputs'")


def test_error_info_cuts_secrets_out() -> None:
    info = error_info(_client_error("ValidationError", message="bad key AKIAIOSFODNN7EXAMPLE, password=hunter22"))
    assert "AKIA" not in info.message
    assert "hunter22" not in info.message
