"""Driving one kind without an engine: step after step, the scratch carried along, as the worker does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core_lib.execute import Action, ActionContext, Again, Done, Failed, Step

Contexts = Callable[[dict[str, Any]], ActionContext[Any]]


def drive(kind: Action[Any], contexts: Contexts, *, most: int = 200) -> tuple[Done | Failed, dict[str, Any]]:
    """From `start` to the end; answers the last step and the scratch that is kept. `contexts` makes a context for a scratch."""
    return _drive(kind.start(contexts({})), kind.check, contexts, {}, most)


def undo(kind: Action[Any], contexts: Contexts, scratch: dict[str, Any], *, most: int = 200) -> Done | Failed:
    """Undo to its end, with the scratch of the action that succeeded."""
    return _drive(kind.undo(contexts(scratch)), kind.undo, contexts, scratch, most)[0]


def _drive(
    step: Step, look: Callable[[ActionContext[Any]], Step], contexts: Contexts, scratch: dict[str, Any], most: int
) -> tuple[Done | Failed, dict[str, Any]]:
    for _ in range(most):
        if not isinstance(step, Again):
            return step, scratch
        scratch = dict(step.scratch) if step.scratch is not None else scratch
        assert scratch, "an action that goes on needs a scratch, else a resumed worker would start it again"
        step = look(contexts(scratch))
    raise AssertionError(f"still going on after {most} steps: {step}")
