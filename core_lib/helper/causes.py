"""Why something failed: transient, throttled, out of time, or for good. Retries depend on nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    ResponseStreamingError,
    WaiterError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from urllib3.exceptions import HTTPError

from core_lib.framework.errors import ActionFailedError, ConflictError, CoreError, LockedError
from core_lib.framework.models import Cause, ErrorInfo
from core_lib.framework.redaction import redact_text

THROTTLING_CODES = frozenset({
    "BandwidthLimitExceeded", "EC2ThrottledException", "PriorRequestNotComplete", "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown",
    "ThrottledException", "Throttling", "Throttling.User", "ThrottlingError", "ThrottlingException", "TooManyRequests",
    "TooManyRequestsException", "TransactionInProgressException", "KMSThrottlingException", "ConcurrentModificationException",
})  # fmt: skip
"""AWS's ways to say "too fast". ConcurrentModificationException is how Organizations says it."""

EXPIRED_CODES = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
"""The session ran out; it is renewed, so another attempt is worth it."""

TRANSIENT_CODES = EXPIRED_CODES | frozenset({
    "InternalError", "InternalFailure", "InternalServerError", "InternalServerErrorException", "InternalServiceError",
    "InternalServiceException", "InternalException", "ServiceException", "ServiceUnavailable", "ServiceUnavailableException",
    "ServiceFailure", "ServiceInternalException", "Unavailable", "RequestTimeout", "RequestTimeoutException", "RequestTimedOut",
    "ServerException", "DependencyTimeout", "OperationAborted", "ConditionalRequestConflict", "EndpointDiscoveryFailed",
    "OperationInProgressException", "ReplicatedWriteConflictException", "TransactionConflictException", "IDPCommunicationError",
    "FinalizingOrganizationException", "PendingVerification",
})  # fmt: skip
"""It may work in a moment: AWS's own troubles, conflicts with work in progress, accounts still being made ready."""

_HINTS = {
    "AccessDenied": "grant the deploy role this permission, and check SCPs and permission boundaries",
    "AccessDeniedException": "grant the deploy role this permission, and check SCPs and permission boundaries",
    "UnauthorizedOperation": "grant the deploy role this permission, and check SCPs and permission boundaries",
    "InsufficientCapabilitiesException": "name the capabilities in the action's Capabilities",
    "LimitExceededException": "ask AWS for a higher quota, or use less",
    "LimitExceeded": "ask AWS for a higher quota, or use less",
    "OptInRequired": "enable the region or service in this account",
    "RequestTimeTooSkewed": "set the clock of this machine",
    "InvalidClientTokenId": "the credentials are not valid (any more), or the region is not enabled in this account",
    "UnrecognizedClientException": "the credentials are not valid (any more), or the region is not enabled in this account",
    "SignatureDoesNotMatch": "check the secret key and the clock of this machine",
    "RegionDisabledException": "enable STS for this region in the account settings of IAM",
}


def classify(error: BaseException) -> Cause:
    """The cause of an error. Errors of ours are judged by what they were raised from.

    Network trouble is transient, botocore's own timeouts included; `TimeoutError` is the timeout of an action.
    """
    for link in _chain(error):
        cause = _cause(link)
        if cause is not None:
            return cause
    return Cause.PERMANENT


def error_info(error: BaseException, where: str | None = None) -> ErrorInfo:
    """The error as the ledger, reports and users see it: code, message, place, advice, cause. Secrets are cut out."""
    cause = classify(error)
    if isinstance(error, CoreError):
        place = error.where if where is None or error.where == where else f"{where}: {error.where}" if error.where else where
        return ErrorInfo(code=error.code, message=redact_text(error.message), where=place, hint=error.hint, cause=cause)
    if isinstance(error, ClientError):
        return _client_error_info(error, where, cause)
    text = str(error) or "no further message"
    message = text if isinstance(error, BotoCoreError) else f"{type(error).__name__}: {text}"
    code = "CORE-4000" if isinstance(error, BotoCoreError) else CoreError.code
    return ErrorInfo(code=code, message=redact_text(message), where=where, hint=_network_hint(error), cause=cause)


def _client_error_info(error: ClientError, where: str | None, cause: Cause) -> ErrorInfo:
    details = error.response.get("Error", {})
    code = details.get("Code", "Unknown")
    request = error.response.get("ResponseMetadata", {}).get("RequestId")
    message = f"{error.operation_name}: {code}: {details.get('Message') or 'AWS gave no message'}"
    if request:
        message += f" [request {request}]"
    return ErrorInfo(code="CORE-4000", message=redact_text(message), where=where, hint=_HINTS.get(code), cause=cause)


def _network_hint(error: BaseException) -> str | None:
    if isinstance(error, NoCredentialsError):
        return "give the platform AWS credentials (environment, profile, instance or container role)"
    if isinstance(error, (BotoConnectionError, HTTPClientError)):
        return "check the network, proxy and AWS_ENDPOINT_URL"
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


def _cause(error: BaseException) -> Cause | None:
    """The cause that one error shows by itself; None when it depends on what is behind it."""
    if isinstance(error, ClientError):
        return _client_error_cause(error)
    if isinstance(error, (BotoConnectionError, HTTPClientError, HTTPError, IncompleteReadError, ResponseStreamingError)):
        return Cause.TRANSIENT
    if isinstance(error, (LockedError, ConflictError, CredentialRetrievalError)):
        return Cause.TRANSIENT
    if isinstance(error, (TimeoutError, WaiterError)):
        return Cause.TIMEOUT
    if isinstance(error, ConnectionError):
        return Cause.TRANSIENT
    if isinstance(error, (ActionFailedError, CoreError)):
        return None
    return Cause.PERMANENT


def _client_error_cause(error: ClientError) -> Cause:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = error.response.get("Error", {}).get("Message", "")
    if code in THROTTLING_CODES or status == 429 or (code == "ValidationError" and message == "Rate exceeded"):
        return Cause.THROTTLED
    if code in TRANSIENT_CODES or status >= 500:
        return Cause.TRANSIENT
    return Cause.PERMANENT
