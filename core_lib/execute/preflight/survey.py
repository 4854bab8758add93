"""The survey: which stacks a run will really change, worked out from listings and records alone.

Values that come from stacks which will not change are known already (their outputs stay what they are); an action that waits for
anything else is unclear: it may change, and only what its place in the plan tells is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.execute.action import ActionContext
from core_lib.execute.book import RunBook
from core_lib.execute.kinds import Kinds
from core_lib.execute.parts import Parts
from core_lib.execute.runtime import RuntimeValues
from core_lib.execute.stacks.live import LiveStack
from core_lib.execute.stacks.parameters import StackParams, Wanted, wanted
from core_lib.execute.stacks.unchanged import is_unchanged
from core_lib.execute.stacks.view import StackView
from core_lib.execute.worker import context_for
from core_lib.framework.errors import CoreError
from core_lib.framework.models import ActionState, ActionStatus, PlanAction


@dataclass(frozen=True)
class Change:
    """A stack that an action will change or may change. `sure`: with `context` and `want`, what exactly is asked for."""

    action: PlanAction
    stack: str
    live: LiveStack | None
    recorded: bool
    context: ActionContext[Any] | None = None
    want: Wanted | None = None

    @property
    def deletes(self) -> bool:
        """Whether the stack is to be deleted."""
        return self.action.kind.endswith("::DeleteStack")


class _Foresight:
    """The book, and what the actions on unchanged stacks will leave in it."""

    def __init__(self, book: RunBook) -> None:
        self._book = book
        self._foreseen: dict[str, ActionState] = {}

    def state(self, action_id: str) -> ActionState | None:
        """The row of an action as it is, or as it will be."""
        return self._foreseen.get(action_id) or self._book.state(action_id)

    def foresee(self, action_id: str, status: ActionStatus, outputs: Mapping[str, Any]) -> None:
        """This is how the action will end."""
        self._foreseen[action_id] = ActionState(
            run_id=self._book.run_id, action_id=action_id, status=status, outputs=dict(outputs)
        )


def deploys(kinds: Kinds, action: PlanAction) -> bool:
    """Whether the action brings a stack to what it asks for."""
    return issubclass(kinds[action.kind].Params, StackParams)


def survey(parts: Parts, actions: Iterable[PlanAction], views: Mapping[str, StackView]) -> dict[str, list[Change]]:
    """The changes by target. `actions` are those still to be done, dependencies first; `views` those targets that answered."""
    foresight = _Foresight(parts.book)
    found: dict[str, list[Change]] = {key: [] for key in views}
    for action in actions:
        if action.target not in views:
            continue
        change = _look(parts, action, views[action.target], foresight)
        if change is not None:
            found[action.target].append(change)
    return found


def _look(parts: Parts, action: PlanAction, view: StackView, foresight: _Foresight) -> Change | None:
    kind = parts.kinds[action.kind]
    stack = str(action.spec.get("StackName", ""))
    plain = bool(stack) and "{{" not in stack
    if action.kind.endswith("::DeleteStack"):
        live = view.live(stack) if plain else None
        return Change(action, stack, live, view.record(stack) is not None) if live is not None else None
    if not deploys(parts.kinds, action):
        return None
    values = RuntimeValues(action, foresight, planning=True)
    try:
        holds = values.condition_holds(kind)
        bound = values.bind(kind)
    except CoreError:
        holds, bound = None, None
    if holds is False:
        foresight.foresee(action.id, ActionStatus.SKIPPED, {})
        return None
    if bound is None or bound.unresolved or holds is None:
        return Change(action, stack, view.live(stack), view.record(stack) is not None) if plain else None
    context = context_for(parts, action, bound, view, 1)
    want = wanted(context)
    live = view.live(want.name)
    if live is not None and not context.force and is_unchanged(context, live, want):
        foresight.foresee(action.id, ActionStatus.SUCCEEDED, live.outputs)
        return None
    return Change(action, want.name, live, view.record(want.name) is not None, context, want)
