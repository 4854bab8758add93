"""The contract of an action kind: metadata, typed parameters, and four short methods that return at once."""

from __future__ import annotations

import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from core_lib.execute.steps import Again, Done, Step
from core_lib.framework.models import Message, StackReview, Target

if TYPE_CHECKING:
    from core_lib.execute.stacks.view import StackView

P = TypeVar("P", bound=Message)


def token_for(run_id: str, action_id: str, attempt: int, purpose: str) -> str:
    """An idempotency token: the same step of the same attempt always has the same one, nothing else does.

    Fits a CloudFormation ClientRequestToken and change set name (letters, digits and dashes, starts with a letter).
    """
    digest = hashlib.sha256("\n".join((run_id, action_id, str(attempt), purpose)).encode()).hexdigest()
    return f"core-{digest[:32]}"


@dataclass(frozen=True)
class ActionContext(Generic[P]):
    """What an action is given: its parameters, its place, its memory, and ways to reach AWS."""

    params: P
    target: Target
    run_id: str
    action_id: str
    attempt: int
    scratch: Mapping[str, Any]
    client: Callable[[str], Any]
    files: Callable[[str], bytes]
    file_url: Callable[[str], str]
    file_sha256: Callable[[str], str]
    stacks: StackView
    log: logging.Logger
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

    `tolerates_unresolved`: the action starts although some run-time references of its parameters have no value yet
    (`ctx.unresolved` lists them); all other kinds fail. `stack_fields`: the parameters that name stacks the action changes; they
    are locked for the run before it begins.
    """

    kind: ClassVar[str]
    purpose: ClassVar[str]
    permissions: ClassVar[tuple[str, ...]] = ()
    source: ClassVar[str] = ""
    example: ClassVar[Mapping[str, Any]] = {}
    tolerates_unresolved: ClassVar[bool] = False
    stack_fields: ClassVar[tuple[str, ...]] = ()
    Params: ClassVar[type[Message]]

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
