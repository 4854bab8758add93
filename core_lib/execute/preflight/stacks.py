"""Whether stacks can be changed at all: their states, names that others use, protection, room for new ones. Free: the listing
tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core_lib.execute.preflight.findings import Finding
from core_lib.execute.preflight.survey import Change
from core_lib.execute.stacks.states import STUCK_HINTS, Condition, condition

NEARLY_FULL = 150
"""From this many stacks on, AWS is asked how many there may be: no account was ever given fewer than 200."""


def states(changes: Sequence[Change]) -> Iterator[Finding]:
    """Stacks that no change can be made to, and those that a person should know about."""
    for change in changes:
        if change.live is not None:
            yield from _deletable(change) if change.deletes else _changeable(change)


def _deletable(change: Change) -> Iterator[Finding]:
    forced = change.action.spec.get("Force") or (change.context is not None and change.context.force)
    if change.live is not None and change.live.protected and not forced:
        yield Finding(
            check="state", message=f"the stack {change.stack} has termination protection and is to be deleted",
            hint="switch it off (TerminationProtection: false), or delete with Force: true", stack=change.stack,
        )  # fmt: skip


def _changeable(change: Change) -> Iterator[Finding]:
    live, name = change.live, change.stack
    if live is None:
        return
    state = condition(live)
    if state is Condition.STUCK:
        yield Finding(
            check="state", message=f"the stack {name} is {live.status}: {live.reason or 'no reason given'}",
            hint=STUCK_HINTS.get(live.status), stack=name,
        )  # fmt: skip
    elif live.status == "REVIEW_IN_PROGRESS":
        yield Finding(
            check="clash", severity="warning", message=f"an empty shell of the stack {name} is left from a review; it is used",
            stack=name,
        )  # fmt: skip
    elif not change.recorded and state is Condition.UPDATABLE:
        yield Finding(
            check="clash", severity="warning", message=f"a stack {name} is there that the platform did not make; it takes over",
            hint="leave it out, or give yours another name, if that is not what you want", stack=name,
        )  # fmt: skip


def quota(client: Any, listed: int, changes: Sequence[Change]) -> Iterator[Finding]:
    """Whether there is room for the new stacks. CloudFormation is asked only when it may become narrow.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeAccountLimits.html
    """
    new = sum(1 for change in changes if not change.deletes and condition(change.live) is Condition.ABSENT)
    if not new or listed + new <= NEARLY_FULL:
        return
    pages = client.get_paginator("describe_account_limits").paginate()
    limits = {limit["Name"]: int(limit["Value"]) for page in pages for limit in page["AccountLimits"]}
    most = limits.get("StackLimit")
    if most is not None and listed + new > most:
        yield Finding(
            check="quota", message=f"{new} new stacks are too many: there are {listed}, and the quota is {most}",
            hint="ask for a higher quota of CloudFormation stacks (Service Quotas, L-0485CB21), or delete what is not needed",
        )  # fmt: skip
