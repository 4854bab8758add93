"""How fast AWS lets its APIs be called: the rates that pacing starts from.

Where AWS documents a rate, the source says so. CloudFormation and Organizations throttle per account and region without
publishing numbers; those are conservative observations, and pacing adapts when AWS answers otherwise.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

_CFN = "https://repost.aws/knowledge-center/cloudformation-rate-exceeded-error"
_ORG = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"
_STS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
_EC2 = "https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html"
_SSM = "https://docs.aws.amazon.com/general/latest/gr/ssm.html"
_ACCOUNT = "https://docs.aws.amazon.com/accounts/latest/reference/quotas.html"
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"


@dataclass(frozen=True)
class Rate:
    """Calls per second and burst of the APIs that share one bucket.

    `apis` are operation patterns; `name` is the bucket's name. `everywhere` means one bucket over all regions of the account.
    """

    service: str
    name: str
    apis: tuple[str, ...]
    per_second: float
    burst: float
    source: str
    everywhere: bool = False


DEFAULTS: tuple[Rate, ...] = (
    Rate("cloudformation", "DescribeStacks", ("DescribeStacks",), 10, 20, _CFN),
    Rate("cloudformation", "DescribeStackEvents", ("DescribeStackEvents", "DescribeEvents"), 10, 20, _CFN),
    Rate("cloudformation", "DescribeChangeSet", ("DescribeChangeSet", "ListChangeSets"), 10, 20, _CFN),
    Rate("cloudformation", "DetectDrift", ("DetectStackDrift", "DetectStackResourceDrift"), 1, 5, _CFN),
    Rate("cloudformation", "Read", ("Describe*", "Get*", "List*", "Validate*"), 8, 16, _CFN),
    Rate("cloudformation", "Change", ("*",), 5, 15, _CFN),
    Rate("organizations", "CreateAccount", ("CreateAccount", "CreateGovCloudAccount", "CloseAccount"), 4, 5, _ORG, True),
    Rate("organizations", "Read", ("Describe*", "List*"), 8, 15, _ORG, True),
    Rate("organizations", "Change", ("*",), 4, 10, _ORG, True),
    Rate("sts", "Assume", ("Assume*", "Get*"), 300, 300, _STS),
    Rate("iam", "Read", ("Get*", "List*"), 15, 40, _STS, True),
    Rate("iam", "Change", ("*",), 5, 15, _STS, True),
    Rate("ec2", "Read", ("Describe*", "Get*"), 10, 50, _EC2),
    Rate("ec2", "Change", ("*",), 5, 50, _EC2),
    Rate("ssm", "Parameters", ("GetParameter*",), 40, 40, _SSM),
    Rate("ssm", "PutParameter", ("PutParameter", "DeleteParameter*"), 3, 6, _SSM),
    Rate("account", "Regions", ("EnableRegion", "DisableRegion"), 1, 1, _ACCOUNT, True),
    Rate("account", "Read", ("Get*", "List*"), 5, 5, _ACCOUNT, True),
    Rate("lambda", "Control", ("Create*", "Update*", "Delete*", "Get*", "List*", "Publish*"), 12, 15, _LAMBDA),
)


def settings_rates(overrides: Mapping[str, float]) -> tuple[Rate, ...]:
    """The user's rates, `service` or `service.Operation` (patterns allowed), as rules that come before the defaults."""
    rules = []
    for api, per_second in sorted(overrides.items(), key=lambda item: ("." not in item[0], item[0])):
        service, _, operation = api.partition(".")
        rules.append(
            Rate(service, operation or "*", (operation or "*",), per_second, max(1.0, per_second), "settings limits.rates")
        )
    return tuple(rules)


class RateTable:
    """Finds the rule for an API: the first that fits, in order."""

    def __init__(self, overrides: Mapping[str, float] | None = None) -> None:
        self._rules = (*settings_rates(overrides or {}), *DEFAULTS)
        self.find = functools.cache(self._find)

    def _find(self, service: str, operation: str) -> Rate | None:
        for rule in self._rules:
            if rule.service == service and any(fnmatchcase(operation, pattern) for pattern in rule.apis):
                return rule
        return None
