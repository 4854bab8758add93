"""What travels through the state machine: references and numbers, never plans, parameters or outputs (256 KB is the limit)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from core_lib.framework.models import Message

Way = Literal["inline", "distributed", "relay", "close"]


class Reference(Message):
    """Which run, in which epoch."""

    client: str
    run_id: str
    epoch: int


class BatchItem(Message):
    """One item of a map."""

    batch: int


class BatchEnd(Message):
    """What a map knows of a batch afterwards. `error` is the error's name when passes kept failing."""

    batch: int
    ended: bool = False
    error: str = ""


class Journey(Reference):
    """State of an execution between its maps.

    `relays` counts the executions before this one in the same epoch (a long run is handed over), `round` the maps of this one.
    `since` is when the first of them began; timeouts of actions count from there. `size` is the number of accounts in a batch,
    `share` the part of the run's concurrency that each batch may use. Nobody begins a pass after `until` (seconds since 1970).
    `progress` and `idle` tell a run that waits from one that cannot go on.
    """

    relays: int = 0
    since: datetime | None = None
    round: int = 0
    way: Way = "close"
    size: int = 1
    share: int = 1
    until: int = 0
    batches: tuple[BatchItem, ...] = ()
    bucket: str = ""
    key: str = ""
    items: int = 0
    results: tuple[BatchEnd, ...] = ()
    progress: int = -1
    idle: int = 0


class Leg(Reference):
    """State of one batch between its passes. `looks` counts passes without news; `wait` is in seconds."""

    since: datetime
    batch: int
    size: int
    share: int
    until: int
    passes: int = 0
    looks: int = 0
    next: Literal["wait", "end"] = "wait"
    wait: int = 1
    ended: bool = False


class Arrival(Message):
    """The end of an execution."""

    run_id: str
    status: str
    message: str = ""
