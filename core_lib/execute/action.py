"""The contract of an action kind: metadata, typed parameters, and four short methods that return at once."""

from __future__ import annotations

import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, TypeVar

from core_lib.execute.steps import Again, Done, Step
from core_lib.framework.models import ActionState, FileRef, Message, StackReview, Target
from core_lib.framework.settings import Settings

if TYPE_CHECKING:
    from core_lib.execute.ports import Approvals
    from core_lib.execute.stacks.view import StackView

P = TypeVar("P", bound=Message)


def token_for(run_id: str, action_id: str, attempt: int, purpose: str) -> str:
    """An idempotency token: the same step of the same attempt always has the same one, nothing else does.

    Fits a CloudFormation ClientRequestToken and change set name (letters, digits and dashes, starts with a letter).
    """
    digest = hashlib.sha256("\n".join((run_id, action_id, str(attempt), purpose)).encode()).hexdigest()
    return f"core-{digest[:32]}"


class ClientFactory(Protocol):
    """Clients of AWS services for one action."""

    def __call__(self, service: str, *, region: str | None = None, account: str | None = None) -> Any:
        """A boto3 client of the service in the action's target, under its deploy role.

        `region`: another region of the same account, e.g. `us-east-1` for global services. `account`: another account, under the
        deploy role that the plan names for it, else the default one. Raises AssumeRoleError at its first call.
        """


class RunMemory(Protocol):
    """What an action may know of its run, and leave behind for others."""

    @property
    def client_name(self) -> str:
        """The client (tenant) the run belongs to."""

    @property
    def prn(self) -> str:
        """The PRN of the deployment."""

    @property
    def requested_by(self) -> str | None:
        """Who asked for the run."""

    @property
    def approvals(self) -> Approvals:
        """Questions to people, and their answers."""

    def states(self, target: str | None = None) -> Mapping[str, ActionState]:
        """The rows of the run by action id as they stand now, or only those of one target (`account/region`)."""

    def rows(self, action_ids: Iterable[str]) -> Mapping[str, ActionState]:
        """The rows that exist among these, as they stand now."""

    def append_event(
        self,
        *,
        status: str,
        message: str | None = None,
        event_type: Literal["STATUS", "DEBUG", "INFO", "WARN", "ERROR"] = "STATUS",
        prn: str | None = None,
        at: datetime | None = None,
        key: str,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an event to the CMDB's history; the same `key` and time again is the same event. Give `at` a time from the scratch.

        `prn` None = the deployment's own. Raises ConflictError when another event has that key.
        """

    def keep(self, name: str, body: bytes, *, first: bool = False) -> str:
        """Put an artefact below the run's own prefix in the artefact store; answers its key. `first`: what an earlier step put
        there under that name stays."""

    def kept(self, name: str) -> bytes | None:
        """What was put there under this name with `keep`, in this run; None = nothing. Raises ArtefactError."""

    def fetch(self, key: str) -> bytes:
        """Content of an artefact. Raises ArtefactError."""

    def url(self, key: str) -> str:
        """A URL that CloudFormation can read an artefact from. Raises ArtefactError."""


@dataclass(frozen=True)
class ActionContext(Generic[P]):
    """What an action is given: its parameters, its place, its memory, and ways to reach AWS."""

    params: P
    target: Target
    run_id: str
    action_id: str
    attempt: int
    scratch: Mapping[str, Any]
    client: ClientFactory
    files: Callable[[str], bytes]
    file_url: Callable[[str], str]
    file_sha256: Callable[[str], str]
    file_ref: Callable[[str], FileRef]
    stacks: StackView
    run: RunMemory
    log: logging.Logger
    settings: Settings
    force: bool = False
    review: StackReview | None = None
    unresolved: tuple[str, ...] = field(default=())

    def token(self, purpose: str) -> str:
        """Idempotency token of this attempt for this purpose, see `token_for`."""
        return token_for(self.run_id, self.action_id, self.attempt, purpose)

    @property
    def where(self) -> str:
        """The place in error messages: `account/region`."""
        return self.target.key


class Action(ABC, Generic[P]):
    """One kind of action. Subclasses live one per file under `actions/` and carry their own documentation.

    `aliases`: other full names of the kind, e.g. of older deployspecs. `permissions`: every AWS permission that any of its
    methods needs; `scope` may narrow them to resources. `outputs`: names and meanings of what it leaves for later actions, {}
    = nothing; None = known only at run time (a stack's own outputs), so the compiler cannot check references to it.
    `reads_only`: it changes nothing, so a plan (which only looks) runs it too. `tolerates_unresolved`: the action starts
    although some run-time references of its parameters have no value yet (`ctx.unresolved` lists them); all other kinds fail.
    `stack_fields`: the parameters that name stacks the action changes; they are locked for the run before it begins.
    """

    kind: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    purpose: ClassVar[str]
    permissions: ClassVar[tuple[str, ...]] = ()
    source: ClassVar[str] = ""
    example: ClassVar[Mapping[str, Any]] = {}
    outputs: ClassVar[Mapping[str, str] | None] = {}
    reads_only: ClassVar[bool] = False
    tolerates_unresolved: ClassVar[bool] = False
    stack_fields: ClassVar[tuple[str, ...]] = ()
    Params: ClassVar[type[Message]]

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The ARNs that permissions can be narrowed to in a least-privilege policy, by permission (`s3:DeleteObject`) or by
        service (`s3:*`); what is left out needs `*`, and no ARNs at all mean that these parameters do not need the permission.
        `params` is the spec as the plan has it (expressions may be in it)."""
        _ = params, target, partition
        return {}

    @classmethod
    def other_accounts(cls, params: Mapping[str, Any]) -> tuple[str, ...]:
        """Accounts beside the target's own in which it uses the same permissions. `params` as in `scope`."""
        _ = params
        return ()

    @abstractmethod
    def start(self, ctx: ActionContext[P]) -> Step:
        """Begin, idempotently: called again with the same tokens when nobody knows whether the first call arrived."""

    def check(self, ctx: ActionContext[P]) -> Step:
        """Where does it stand? Kinds that are over when they start need no check."""
        return self.start(ctx)

    def cancel(self, ctx: ActionContext[P]) -> Step:
        """Stop it if AWS can. `Again` = cannot be stopped or is still stopping: `check` will tell how it ended."""
        _ = ctx
        return Again(message="cannot be stopped, waiting for its end")

    def undo(self, ctx: ActionContext[P]) -> Step:
        """The way back, where there is one. Called again after `Again`, with the scratch it returned."""
        _ = ctx
        return Done(changed=False, message="nothing to undo")
