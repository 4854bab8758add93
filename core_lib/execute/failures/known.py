"""Known causes: what lies behind the errors that users meet, whether waiting helps, and what does.

The first entry that fits decides, so what is particular stands before what is general. The wordings are AWS's; sources are the
"Troubleshooting" pages of IAM, CloudFormation and of the services, and https://docs.aws.amazon.com/IAM/latest/UserGuide/
troubleshoot_access-denied.html for the ways in which AWS says who denies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core_lib.framework.models import Cause, ErrorInfo

_PASSING = (Cause.TRANSIENT, Cause.THROTTLED)
_DENIED = r"AccessDenied|UnauthorizedOperation|not authori[sz]ed|Access Denied|access denied"


@dataclass(frozen=True)
class KnownCause:
    """One cause: its name, how its errors read (a regular expression), what it is, and what helps.

    `transient`: the same thing may well succeed in a while without anybody doing anything. `codes`: it goes by the platform's own
    error code instead of by the text.
    """

    name: str
    title: str
    fix: str
    pattern: str = ""
    codes: tuple[str, ...] = ()
    transient: bool = False

    def fits(self, error: ErrorInfo) -> bool:
        """Whether this is what lies behind the error."""
        if self.codes:
            return error.code in self.codes
        return re.search(self.pattern, error.message) is not None


KNOWN_CAUSES: tuple[KnownCause, ...] = (
    KnownCause(
        "locked", "another run has the stack", "wait for that run (core runs show), then retry",
        codes=("CORE-5001",), transient=True,
    ),
    KnownCause(
        "moved", "the world moved since the review", "plan again, and apply what the new plan shows", codes=("CORE-5002",)
    ),
    KnownCause(
        "expired-token", "the session has expired", "retry: the platform asks for a new session",
        r"ExpiredToken|TokenRefreshRequired|RequestExpired|security token included in the request is expired", transient=True,
    ),
    KnownCause(
        "region-disabled", "the region is not enabled in the account",
        "enable the region in the account (or leave it out of the targets); enabling takes minutes to hours",
        r"OptInRequired|RegionDisabledException|UnrecognizedClientException|InvalidClientTokenId|STS is not activated in this"
        r"|[Rr]egion .* is (?:disabled|not enabled)|not subscribed to this service",
    ),
    KnownCause(
        "role-not-assumable", "the deploy role cannot be assumed",
        "create the role in the account, and let its trust policy admit the platform", codes=("CORE-4001",),
    ),
    KnownCause(
        "throttling", "AWS was asked too often", "retry; lower Concurrency or RegionConcurrency when it comes back",
        r"Rate exceeded|Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|Too Many Requests|HandlerErrorCode: Throttling",
        transient=True,
    ),
    KnownCause(
        "service-linked-role", "a service-linked role is missing",
        "create it once per account: aws iam create-service-linked-role --aws-service-name <service>.amazonaws.com, then retry",
        r"(?i)service[- ]linked role|CreateServiceLinkedRole|AWSServiceRoleFor\w+",
    ),
    KnownCause(
        "kms-access", "a KMS key cannot be used",
        "let the key policy (and the role) allow it, and check that the key is enabled and in the same region",
        r"KMS\.?\w*Exception|kms:\w+|KMSAccessDenied|KMSInvalidState|KMSKeyNotAccessible|DisabledException.*[Kk]ey"
        r"|customer master key|KMS key .*(?:not|disabled|pending)",
    ),
    KnownCause(
        "denied-by-scp", "a service control policy denies it",
        "change the SCP of the account's organizational unit, or exempt the deploy role there; no grant in the account helps",
        r"(?i)service control polic|explicit deny in a resource control policy|resource control policy",
    ),
    KnownCause(
        "denied-by-boundary", "a permissions boundary denies it",
        "widen the permissions boundary of the role that was used, or use a role without one",
        r"(?i)permissions boundary",
    ),
    KnownCause(
        "denied-by-session-policy", "the session's own policy denies it",
        "widen the session policy that the role was assumed with", r"(?i)session policy",
    ),
    KnownCause(
        "denied-by-endpoint", "a VPC endpoint policy denies it", "let the policy of the VPC endpoint allow the action",
        r"(?i)VPC endpoint policy",
    ),
    KnownCause(
        "denied-by-resource-policy", "the resource's own policy denies it",
        "let the policy of the resource (bucket, key, queue, topic, repository) admit the role",
        r"(?i)resource-based policy allows|deny in a resource-based policy",
    ),
    KnownCause(
        "pass-role", "a role may not be passed on",
        "grant the deploy role iam:PassRole on that role (core iam shows the policy a plan needs)", r"iam:PassRole",
    ),
    KnownCause(
        "iam-propagation", "a new role or policy has not arrived everywhere yet",
        "retry in a minute; where it comes back, let the resource depend on the policy of its role",
        r"cannot be assumed by|could not assume|[Ii]nvalid principal in policy|MalformedPolicyDocument.*[Pp]rincipal"
        r"|Invalid IAM Instance Profile|role .* (?:is invalid|does not exist yet)|not have permission to assume the provided",
        transient=True,
    ),
    KnownCause(
        "access-denied", "the role lacks a permission",
        "grant the deploy role the permission that the message names (core iam shows the policy a plan needs)", _DENIED,
    ),
    KnownCause(
        "capacity", "AWS has no capacity for it right now", "retry later, or ask for another instance type or zone",
        r"Insufficient\w*Capacity|(?:not currently|currently do not) have sufficient .*capacity|[Cc]apacity is not available",
        transient=True,
    ),
    KnownCause(
        "limit-exceeded", "a quota is used up", "ask for a higher quota (Service Quotas), or delete what is not needed",
        r"LimitExceeded|[Ll]imit exceeded|ServiceQuotaExceeded|maximum (?:number|limit) of|quota|HandlerErrorCode: ServiceLimit",
    ),
    KnownCause(
        "export-in-use", "other stacks import its exports",
        "change or delete the importing stacks first; where both must change, give the new value a new export name",
        r"[Ee]xport .*(?:in use|cannot be (?:deleted|updated|removed))|Cannot (?:delete|update) export|imported by",
    ),
    KnownCause(
        "export-missing", "an export that it imports is not there",
        "deploy the stack that exports it first, in the same account and region", r"No export named",
    ),
    KnownCause(
        "already-exists", "the name is taken",
        "give it another name, or take over what is there (ImportResources); after an aborted creation, delete the left-over",
        r"[Aa]lready exists|AlreadyExist|EntityAlreadyExists|AlreadyOwnedByYou|name is already in use|ResourceInUseException"
        r"|HandlerErrorCode: AlreadyExists|ResourceConflict",
    ),
    KnownCause(
        "insufficient-capabilities", "the template needs a capability that was not acknowledged",
        "name it in the action's Capabilities", r"InsufficientCapabilities|[Rr]equires capabilities",
    ),
    KnownCause(
        "stack-stuck", "the stack is stuck in a failed state", "core medic says what is wrong with the stack and repairs it",
        r"the stack is (?:UPDATE_ROLLBACK_FAILED|ROLLBACK_FAILED|DELETE_FAILED|CREATE_FAILED|IMPORT_ROLLBACK_FAILED)",
    ),
    KnownCause(
        "bucket-not-empty", "a bucket is not empty", "empty it first with the action AWS::EmptyBucket, or retain it",
        r"BucketNotEmpty|bucket .* (?:is not empty|must be empty)",
    ),
    KnownCause(
        "in-use", "something else still uses it", "remove what uses it first, or retain the resource",
        r"DependencyViolation|has (?:a )?dependen(?:t|cies)|is still in use|currently in use|DeleteConflict|has in use",
    ),
    KnownCause(
        "termination-protection", "the stack is protected against deletion",
        "switch it off (TerminationProtection: false), or delete with Force: true", r"[Tt]ermination ?[Pp]rotection",
    ),
    KnownCause(
        "addresses", "the network has no addresses left, or ranges overlap", "use a larger subnet or another range",
        r"InsufficientFreeAddresses|not have enough free addresses|InvalidSubnet\.Conflict|CIDR .*(?:conflicts|overlap)",
    ),
    KnownCause(
        "not-stabilised", "a resource did not become healthy in time",
        "look into the resource's own logs and events (user data, health checks, image); then retry",
        r"did not stabili[sz]e|[Nn]ot ?[Ss]tabili[sz]ed|Exceeded attempts to wait|Failed to receive \d+ resource signal"
        r"|WaitCondition (?:timed out|received failed)|Circuit Breaker",
    ),
    KnownCause(
        "aws-trouble", "a service of AWS had trouble", "retry; see the AWS Health Dashboard when it comes back",
        r"InternalFailure|InternalError|ServiceUnavailable|Service Unavailable|HandlerErrorCode: (?:ServiceInternalError"
        r"|NetworkFailure|HandlerInternalFailure)|Internal [Ss]erver [Ee]rror",
        transient=True,
    ),
    KnownCause(
        "account-not-ready", "the account is not ready yet", "wait for AWS to finish setting the account up, then retry",
        r"PendingVerification|pending verification|FinalizingOrganization", transient=True,
    ),
    KnownCause(
        "clock", "the clock of this machine is wrong", "set the clock (NTP)", r"RequestTimeTooSkewed|Signature not yet current"
    ),
    KnownCause(
        "invalid-parameter", "a parameter or property is not accepted",
        "correct the value in the template, the parameters or the facts",
        r"Parameters: \[|[Ii]nvalid ?[Pp]arameter|failed to satisfy constraint|ParameterNotFound|InvalidRequest"
        r"|Template (?:format )?error|must be one of|[Pp]roperties validation failed|extraneous key|required key"
        r"|Validation(?:Error|Exception)",
    ),
)  # fmt: skip
"""All known causes, in the order in which they are asked."""


def known_cause(error: ErrorInfo) -> KnownCause | None:
    """What is known about an error; None when it is new to us."""
    return next((cause for cause in KNOWN_CAUSES if cause.fits(error)), None)


def is_transient(error: ErrorInfo) -> bool:
    """Whether the same action may well succeed when it is tried again, although nothing was repaired."""
    known = known_cause(error)
    return error.cause in _PASSING or (known is not None and known.transient)
