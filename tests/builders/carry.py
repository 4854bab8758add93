"""Carrying one action through to its end without an engine: step after step, the scratch handed on, as the worker does it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core_lib.execute import Action, ActionContext, Again, Done, Failed, find_kind

Ended = tuple[Done | Failed, dict[str, Any]]


def carry_through(kind: str | type[Action[Any]], ctx: ActionContext[Any], method: str | None = None, *, most: int = 60) -> Ended:
    """The last step and the last scratch: `start` (or `check`, when there is a scratch), then `check` until it has ended.

    `method`: `undo` instead, until that has ended.
    """
    found = find_kind(kind) if isinstance(kind, str) else kind
    call = method or ("check" if ctx.scratch else "start")
    for _ in range(most):
        step = getattr(found(), call)(ctx)
        if not isinstance(step, Again):
            return step, dict(ctx.scratch)
        if step.scratch is not None:
            ctx = replace(ctx, scratch=dict(step.scratch))
        assert ctx.scratch, "an action that goes on needs a scratch, else a resumed worker would start it again"
        call = method or "check"
    raise AssertionError(f"{found.kind} has not ended after {most} steps")
