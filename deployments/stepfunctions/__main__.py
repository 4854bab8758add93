"""`python -m deployments.stepfunctions`: print the CloudFormation template."""

from __future__ import annotations

import sys

from deployments.stepfunctions.template import text

if __name__ == "__main__":
    sys.stdout.write(text())
