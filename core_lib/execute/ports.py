"""What the engine needs from its neighbours, as narrow protocols: any client CMDB, session and store of the platform fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from core_lib.db import Precedence
from core_lib.framework.models import ActionState, Approval, RunState, Target


class Ledger(Protocol):
    """The action ledger. Writes are conditional: on the rows' versions and on the run's epoch."""

    def load(self, run_id: str) -> Mapping[str, ActionState]:
        """All rows of a run by action id."""

    def get(self, run_id: str, action_ids: Iterable[str]) -> Mapping[str, ActionState]:
        """The rows that exist among these."""

    def failures(self, run_id: str, *, limit: int = 100, cursor: str | None = None) -> Any:
        """A page of the actions that are failed now; may be slightly behind."""

    def write(self, states: Sequence[ActionState], *, epoch: int) -> Sequence[ActionState]:
        """Write rows; answers them with their new versions, in the same order. Raises FencedError, ConflictError."""


class Runs(Protocol):
    """The run register, as far as a worker needs it."""

    def heartbeat(
        self, run_id: str, epoch: int, counts: dict[str, int] | None = None, waits: dict[str, str] | None = None
    ) -> RunState:
        """Say that this worker is alive, how far it is and which locks it waits for; answers the run as it is now.

        Raises FencedError.
        """


class Locks(Protocol):
    """Locks on stacks, held by runs."""

    def acquire(self, run_id: str, epoch: int, keys: Iterable[str], holder_text: str) -> None:
        """Take all of these or none. Raises LockedError, FencedError."""

    def release(self, run_id: str, keys: Iterable[str], *, epoch: int | None = None) -> None:
        """Give back those of these that the run holds since this epoch or an earlier one."""

    def supersede(self, holder: str, by: RunState) -> Precedence:
        """Ask the run `holder` to cancel in favour of `by`, if it is the one to make way."""


class StackRecords(Protocol):
    """What was last deployed to each stack."""

    def get_many(self, target_key: str) -> Mapping[str, Any]:
        """All records of a target by stack name."""

    def put(self, record: Any, *, epoch: int | None = None) -> None:
        """Remember what was deployed; with `epoch`, only while the run holds the stack's lock with it."""

    def delete(self, target_key: str, stack_name: str) -> None:
        """Forget a stack."""


class Events(Protocol):
    """The event history that people and other systems read."""

    def append(self, event: Any) -> Any:
        """Add one event."""


class Approvals(Protocol):
    """Questions to people, and their answers."""

    def ask(self, approval: Approval) -> Approval:
        """Ask once; answers the question as it stands."""

    def get(self, run_id: str, action_id: str, attempt: int) -> Approval:
        """A question that was asked."""

    def withdraw(self, run_id: str, action_id: str | None = None) -> None:
        """Nobody needs to answer the open questions of this run (of one action of it) any more."""


class Cmdb(Protocol):
    """The CMDB of one client."""

    @property
    def ledger(self) -> Ledger:
        """The action ledger."""

    @property
    def runs(self) -> Runs:
        """The run register."""

    @property
    def locks(self) -> Locks:
        """Locks on stacks."""

    @property
    def stacks(self) -> StackRecords:
        """Stack records."""

    @property
    def approvals(self) -> Approvals:
        """Approvals."""

    @property
    def events(self) -> Events:
        """Events."""


class Sessions(Protocol):
    """Clients in target accounts."""

    def client(self, service: str, target: Target | None = None, *, region: str | None = None) -> Any:
        """A boto3 client of the service in the target, under its deploy role."""


class Store(Protocol):
    """Artefacts: templates and policies of the plan."""

    def get(self, key: str) -> bytes:
        """Content of an artefact."""

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> Any:
        """Write an artefact; with `if_absent`, one that is already there stays as it is."""

    def exists(self, key: str) -> bool:
        """Whether there is such an artefact."""

    def url(self, key: str, *, seconds: int = 3600) -> str:
        """A URL that CloudFormation can read the artefact from."""
