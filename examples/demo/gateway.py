"""The embedded cloud seen from outside: how many calls were made, and how to make one account fail."""

from __future__ import annotations

import os

import httpx


def _address(path: str) -> str:
    return f"{os.environ['AWS_ENDPOINT_URL']}/_gateway/{path}"


def reset_counts() -> None:
    """Start counting calls again."""
    httpx.delete(_address("log"), timeout=30).raise_for_status()


def stack_calls() -> tuple[int, int]:
    """CloudFormation calls since the last reset: in total, and the most in any one account and region."""
    counts = httpx.get(_address("log?limit=0"), timeout=30).raise_for_status().json()["counts"]
    per_target: dict[tuple[str, str], int] = {}
    for entry in counts:
        if entry["service"] == "cloudformation":
            target = (entry["account"], entry["region"])
            per_target[target] = per_target.get(target, 0) + entry["count"]
    return sum(per_target.values()), max(per_target.values(), default=0)


def deny_change_sets(account: str) -> None:
    """From now on this account refuses to create change sets."""
    refusal = {"code": "AccessDenied", "status": 403, "message": "an explicit deny in a service control policy"}
    match = {"service": "cloudformation", "operation": "CreateChangeSet", "account": account}
    httpx.post(_address("faults"), json=[{"match": match, "error": refusal}], timeout=30).raise_for_status()


def deny_nothing() -> None:
    """The account works again."""
    httpx.delete(_address("faults"), timeout=30).raise_for_status()
