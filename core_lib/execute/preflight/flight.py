"""The pre-flight itself: all targets side by side, then what was found is written down, before anything else is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from core_lib.execute.book import blank, ended_with
from core_lib.execute.driver import is_todo
from core_lib.execute.graph import order
from core_lib.execute.parts import Parts
from core_lib.execute.preflight.findings import FILE, Finding, PreflightReport, failure, grouped, of_error
from core_lib.execute.preflight.looks import Looks
from core_lib.execute.preflight.survey import survey
from core_lib.execute.stacks.view import StackView
from core_lib.framework.errors import AwsError
from core_lib.framework.models import ActionStatus, Cause, PlanAction, Task
from core_lib.helper import classify, error_info

NOT_BEGUN = "not begun: pre-flight found what would fail in this target"
ONLY = "pre-flight only: nothing is executed"
R = TypeVar("R")
_PASSING = (Cause.TRANSIENT, Cause.THROTTLED, Cause.TIMEOUT)


class Preflight:
    """One pre-flight of one engine. `view_of` gives the view of a target's stacks, which its actions will use too."""

    def __init__(self, parts: Parts, view_of: Callable[[str], StackView]) -> None:
        self._parts = parts
        self._view_of = view_of

    async def run(self, action_ids: Iterable[str] | None = None) -> PreflightReport:
        """Look at the targets of these actions (None = of all), and fail those in which something was found.

        Nothing is changed in a target that failed here; when more failed than the run tolerates, nothing is changed anywhere. In
        a plan, which changes nothing, all findings are warnings.
        """
        left = self._todo(action_ids)
        todo = [action for action in left if action.id not in self._parts.plan.gates]
        by_target: dict[str, list[PlanAction]] = {}
        for action in todo:
            by_target.setdefault(action.target, []).append(action)
        views, found = await self._reach(by_target)
        changes = await self._parts.call(survey, self._parts, todo, views)
        looks = Looks(self._parts, todo, changes)
        for key, findings in zip(views, await self._all(views, lambda key: looks.look(key, views[key])), strict=True):
            found[key] = [*found.get(key, ()), *(findings or ())]
        report = await self._conclude(by_target, found)
        if self._parts.run.options.preflight == "only":
            unharmed = [action for action in left if is_todo(self._parts, action)]
            await self._parts.book.record_all(unharmed, ActionStatus.SKIPPED, lambda _: ONLY)
        return report

    def _todo(self, action_ids: Iterable[str] | None) -> list[PlanAction]:
        """What is still to be begun, dependencies first."""
        wanted = None if action_ids is None else set(action_ids)
        return [
            action
            for action in order(self._parts.plan.actions)
            if (wanted is None or action.id in wanted)
            and self._parts.book.status(action.id) is not ActionStatus.RUNNING
            and is_todo(self._parts, action)
        ]

    async def _reach(
        self, by_target: Mapping[str, Sequence[PlanAction]]
    ) -> tuple[dict[str, StackView], dict[str, list[Finding]]]:
        """Targets whose stacks can be listed, and what keeps the others from it. Who needs no AWS is not looked at."""
        kinds = self._parts.kinds
        needy = [key for key, own in by_target.items() if any(kinds[action.kind].permissions for action in own)]
        stacked = {key for key in needy if any(kinds[action.kind].stack_fields for action in by_target[key])}
        views: dict[str, StackView] = {}
        found: dict[str, list[Finding]] = {}
        for key in stacked:
            self._view_of(key)

        def knock(key: str) -> Finding | bool:
            try:
                self._list(key) if key in stacked else self._greet(key)
            except (ClientError, BotoCoreError, AwsError) as error:
                if classify(error) in _PASSING:
                    return False  # the actions will try for themselves
                return of_error("access", error_info(error, key))
            return True

        for key, answer in zip(needy, await self._all(needy, knock), strict=True):
            if isinstance(answer, Finding):
                found[key] = [answer]
            elif answer and key in stacked:
                views[key] = self._view_of(key)
        return views, found

    def _list(self, key: str) -> None:
        view = self._view_of(key)
        view.live("")
        view.record("")

    def _greet(self, key: str) -> None:
        self._parts.sessions.client("sts", self._parts.plan.target_by_key[key]).get_caller_identity()

    async def _all(self, keys: Iterable[str], look: Callable[[str], R]) -> list[R | None]:
        """Look at all targets, within the caps. None for those that a cancelled run does not get to."""

        async def one(key: str) -> R | None:
            async with self._parts.caps.slot(key):
                self._parts.brake.raise_fatal()
                return None if self._parts.brake.cancelled else await self._parts.call(look, key)

        return await asyncio.gather(*(one(key) for key in keys))

    async def _conclude(
        self, by_target: Mapping[str, Sequence[PlanAction]], found: Mapping[str, Sequence[Finding]]
    ) -> PreflightReport:
        planning = self._parts.plan.task is Task.PLAN
        if planning:
            found = {key: [item.model_copy(update={"severity": "warning"}) for item in items] for key, items in found.items()}
        report = grouped(self._parts.plan, found, len(by_target))
        for group in report.groups:
            self._parts.log.warning("pre-flight, %d targets: %s", len(group.targets), group.message)
        if report.groups or self._parts.run.visit > 1:
            text = json.dumps(report.as_dict(), sort_keys=True)
            await self._parts.call(self._parts.memory.keep, FILE, text.encode())
        failed = {key: [item for item in items if item.severity == "error"] for key, items in found.items()}
        await asyncio.gather(*(self._fail(by_target[key], items, key) for key, items in failed.items() if items))
        return report

    async def _fail(self, own: Sequence[PlanAction], findings: Sequence[Finding], key: str) -> None:
        """The target's first actions have failed, the others are blocked."""
        error = failure(findings, key)
        inside = {action.id for action in own}
        first = [action for action in own if not inside.intersection(action.depends_on)]
        book = self._parts.book
        for action in first:
            self._parts.count_failure(action)
            state = book.state(action.id)
            await book.record(action, ActionStatus.FAILED, **blank(state.attempt if state else 1) | ended_with(error))
        await book.record_all((action for action in own if action not in first), ActionStatus.BLOCKED, lambda _: NOT_BEGUN)
