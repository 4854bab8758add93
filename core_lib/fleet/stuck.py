"""Finding stacks that are stuck: one paged listing per target, targets side by side, and a diagnosis for each find."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from core_lib.db import ClientCmdb, StackRecord
from core_lib.execute import failure_causes, stack_changes_waiting
from core_lib.fleet.targets import Fleet
from core_lib.framework.errors import CoreError
from core_lib.framework.models import Message, SkippedTarget, Target

SIDE_BY_SIDE = 16
STUCK = (
    "ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS",
)  # fmt: skip
HEALTHY = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")

Clients = Callable[[Target], Any]
"""A target -> a CloudFormation client in it."""


class StuckStack(Message):
    """A stack that needs help: what is known about it, and why it came to this.

    `causes` are the first failures of its last operation; `change_sets` wait to be executed; `run_id` and `requested_by` are of
    the last run of the platform that deployed it, if one did.
    """

    target: str
    stack_name: str
    stack_id: str
    status: str
    since: datetime | None = None
    reason: str | None = None
    causes: tuple[str, ...] = ()
    change_sets: tuple[str, ...] = ()
    run_id: str | None = None
    requested_by: str | None = None

    @property
    def key(self) -> str:
        """`account/region/StackName`."""
        return f"{self.target}/{self.stack_name}"


class Round(Message):
    """What one round over the fleet found. `unreachable` are targets that could not be listed, and why."""

    targets: int
    stuck: tuple[StuckStack, ...] = ()
    unreachable: tuple[SkippedTarget, ...] = ()


def make_round(
    cmdb: ClientCmdb, fleet: Fleet, clients: Clients, names: Iterable[str] = (), *, change_sets: bool = False
) -> Round:
    """Look at every target. `names`: only stacks of these names. `change_sets`: also healthy stacks in which a change set waits,
    which costs a call per stack.

    A target that cannot be listed is reported, not raised.
    """
    wanted = frozenset(names)
    targets = [fleet.targets[key] for key in sorted(fleet.targets)]
    look = _Look(cmdb, clients, wanted, change_sets=change_sets)
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="medic") as pool:
        found = list(pool.map(look.at, targets))
    stuck = tuple(stack for stacks, _ in found for stack in stacks)
    return Round(targets=len(targets), stuck=stuck, unreachable=tuple(left for _, left in found if left is not None))


class _Look:
    """A look at one target after the other; safe for threads."""

    def __init__(self, cmdb: ClientCmdb, clients: Clients, names: frozenset[str], *, change_sets: bool) -> None:
        self._cmdb = cmdb
        self._clients = clients
        self._names = names
        self._statuses = (*STUCK, *HEALTHY) if change_sets else STUCK

    def at(self, target: Target) -> tuple[list[StuckStack], SkippedTarget | None]:
        try:
            return list(self._stuck(target)), None
        except (ClientError, BotoCoreError, CoreError) as error:
            reason = str(error)
            left = SkippedTarget(account=target.account, account_name=target.account_name, region=target.region, reason=reason)
            return [], left

    def _stuck(self, target: Target) -> Iterator[StuckStack]:
        client = self._clients(target)
        records: dict[str, StackRecord] | None = None
        for page in client.get_paginator("list_stacks").paginate(StackStatusFilter=list(self._statuses)):
            for found in page["StackSummaries"]:
                if found.get("ParentId") or (self._names and found["StackName"] not in self._names):
                    continue
                waiting = stack_changes_waiting(client, found["StackName"], found["StackStatus"])
                if found["StackStatus"] in HEALTHY and not waiting:
                    continue
                if records is None:
                    records = self._cmdb.stacks.get_many(target.key)
                yield self._diagnosed(client, target, found, waiting, records.get(found["StackName"]))

    def _diagnosed(
        self, client: Any, target: Target, found: Any, waiting: tuple[str, ...], record: StackRecord | None
    ) -> StuckStack:
        run = self._cmdb.runs.find(record.run_id) if record is not None and record.run_id else None
        status = found["StackStatus"]
        return StuckStack(
            target=target.key,
            stack_name=found["StackName"],
            stack_id=found["StackId"],
            status=status,
            since=found.get("DeletionTime") or found.get("LastUpdatedTime") or found.get("CreationTime"),
            reason=found.get("StackStatusReason"),
            causes=() if status in (*HEALTHY, "REVIEW_IN_PROGRESS") else failure_causes(client, found["StackId"], status),
            change_sets=waiting,
            run_id=run.run_id if run else None,
            requested_by=run.requested_by if run else None,
        )
