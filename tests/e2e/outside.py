"""The cloud of a whole platform (`core up`) as tests see it: its endpoint, and the gateway's administration behind it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import boto3
import httpx


class OutsideCloud:
    """What `EmbeddedCloud` offers, for a cloud that somebody else has started."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def faults(self, rules: Sequence[dict[str, Any]]) -> None:
        """Replace the fault rules."""
        httpx.post(f"{self.endpoint}/_gateway/faults", json=list(rules), timeout=30).raise_for_status()

    def log(self, limit: int = 1000) -> list[dict[str, Any]]:
        """The last calls, oldest first."""
        found: list[dict[str, Any]] = httpx.get(f"{self.endpoint}/_gateway/log?limit={limit}", timeout=30).json()["recent"]
        return found

    def reset_calls(self) -> None:
        """Start counting again."""
        httpx.delete(f"{self.endpoint}/_gateway/log", timeout=30).raise_for_status()

    def add_role(self, account: str, role: str, *, trusts: str | None = None) -> None:
        """A role in an account that trusts another one."""
        statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{trusts}:root"}, "Action": "sts:AssumeRole"}
        iam = boto3.client(
            "iam", endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id=account, aws_secret_access_key="x"
        )
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
