"""Pre-flight: a look at every target before the first change of a run.

`survey` works out, from the one listing of each target that its actions use anyway, which stacks will really change. Only
these are looked at: the state they are in, what their templates refer to, whether CloudFormation takes the templates at all,
quotas. What cannot be told (no permission to look, a service in trouble) is no finding. `Preflight` looks at all targets side by
side and writes down what it found: a target that would fail has failed before anything was changed in it.
"""

from core_lib.execute.preflight.findings import Finding, FindingGroup, PreflightReport, read_preflight
from core_lib.execute.preflight.flight import Preflight

PERMISSIONS = (
    "cloudformation:DescribeStacks", "cloudformation:ValidateTemplate", "cloudformation:DescribeAccountLimits",
    "ssm:GetParameters", "iam:GetRole", "kms:DescribeKey",
)  # fmt: skip
"""What the looks need, beside the permissions of the actions. A look that is not permitted is left out."""

__all__ = ["PERMISSIONS", "Finding", "FindingGroup", "Preflight", "PreflightReport", "read_preflight"]
