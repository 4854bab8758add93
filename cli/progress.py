"""Watching a run: a bar with the time left, failures as they happen, and a way out that leaves the run alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from cli.exit_codes import ExitCode
from cli.shell import Shell
from core_lib.framework.errors import NotRunningError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from cli.connection import Connection
    from core_lib.framework.models import ActionState, Approval, RunState

POLL_SECONDS = 0.7
LINE_SECONDS = 10.0
PICK_UP_SECONDS = 180.0
KNOWN_SECONDS = 45.0
ENDED = ("succeeded", "failed", "cancelled", "skipped", "blocked")


class Display(Protocol):
    """Where progress is shown."""

    def update(self, run: RunState) -> None:
        """Show where the run stands."""

    def note(self, text: str) -> None:
        """Show a line above the bar, and keep it."""


def finished(run: RunState) -> int:
    """Actions that have ended."""
    return sum(run.counts.get(status, 0) for status in ENDED)


def describe(run: RunState) -> str:
    """`running: 120/488 actions, 2 failed`."""
    more = "".join(f", {run.counts[status]} {status}" for status in ("failed", "blocked", "cancelled") if run.counts.get(status))
    return f"{run.status.value}: {finished(run)}/{run.action_count} actions{more}"


@dataclass
class Bar:
    """A live bar on a terminal."""

    progress: Progress
    task: TaskID

    def update(self, run: RunState) -> None:
        """Move the bar."""
        self.progress.update(self.task, description=describe(run), total=run.action_count or None, completed=finished(run))

    def note(self, text: str) -> None:
        """Print above the bar."""
        self.progress.console.print(text, markup=False, highlight=False)


@dataclass
class Lines:
    """A line now and then, for logs and pipelines."""

    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _begun: float | None = field(init=False, default=None)
    _next: float = field(init=False, default=0.0)
    _last: str = field(init=False, default="")

    def update(self, run: RunState) -> None:
        """Say where the run stands, at most every ten seconds."""
        now, text = self.clock(), describe(run)
        if self._begun is None and run.started_at is not None:
            self._begun = now
        if now >= self._next and text != self._last:
            self.say(text + self._left(run, now))
            self._next, self._last = now + LINE_SECONDS, text

    def note(self, text: str) -> None:
        """Say it."""
        self.say(text)

    def _left(self, run: RunState, now: float) -> str:
        done, elapsed = finished(run), now - (self._begun if self._begun is not None else now)
        if not done or done >= run.action_count or elapsed < LINE_SECONDS:
            return ""
        return f", about {elapsed / done * (run.action_count - done):.0f} s left"


@contextmanager
def display(shell: Shell) -> Iterator[Display]:
    """The bar on a terminal, else lines. Both on standard error."""
    if shell.json_mode or not shell.err.is_terminal:
        yield Lines(shell.say)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=shell.err, transient=True) as progress:
        yield Bar(progress, progress.add_task("waiting for a worker", total=None))


@dataclass
class Watch:
    """Follows one run until it ends.

    `taken_after`: the run must first be taken by a worker with a higher epoch than this (a resumed run). `alive` is asked while
    nobody has taken the run yet; it raises when nobody will.
    """

    connection: Connection
    run_id: str
    show: Display
    alive: Callable[[], None] = lambda: None
    taken_after: int = -1
    patience: float = PICK_UP_SECONDS
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _told: set[tuple[str, int]] = field(default_factory=set)
    _failed: int = 0
    _asked: set[tuple[str, int]] = field(default_factory=set)

    def until_end(self) -> RunState:
        """The run as it ended.

        Raises:
            NotRunningError: nobody picked the run up, or its worker is gone.
        """
        if self.taken_after >= 0:
            self._told.update((state.action_id, state.attempt) for state in self._failures())  # those of the earlier attempt
        run = self._taken()
        while True:
            self.show.update(run)
            self._tell_failures(run)
            if run.status.ended:
                return run
            if run.status.value == "awaiting-approval":
                self._tell_questions()
            else:
                self._check_worker(run)
            self.sleep(POLL_SECONDS)
            run = self.connection.client.runs.get(self.run_id)

    def _taken(self) -> RunState:
        """The run as soon as somebody works on it."""
        deadline = self.clock() + self.patience
        while True:
            run = self.connection.client.runs.find(self.run_id)
            if run is not None and run.epoch > self.taken_after:
                return run
            self.alive()
            if self.clock() > deadline:
                raise NotRunningError(
                    "no worker picked the run up, or there is no such run",
                    where=self.run_id,
                    hint="core status shows whether a worker is running, core runs list which runs there are",
                )
            self.sleep(POLL_SECONDS)

    def _check_worker(self, run: RunState) -> None:
        if run.epoch > 0 and not self.connection.client.runs.alive(run):
            raise NotRunningError(
                "the run's worker gives no sign of life",
                where=self.run_id,
                hint=f"core runs resume {self.run_id} goes on with it",
            )

    def _tell_failures(self, run: RunState) -> None:
        failed = run.counts.get("failed", 0)
        if failed == self._failed:
            return
        self._failed = failed
        for state in self._failures():
            key = (state.action_id, state.attempt)
            if key not in self._told:
                self._told.add(key)
                self.show.note(failure_line(state))

    def _tell_questions(self) -> None:
        """What people are asked, once each."""
        for question in self.connection.client.approvals.of_run(self.run_id):
            key = (question.action_id, question.attempt)
            if question.status.value == "open" and key not in self._asked:
                self._asked.add(key)
                self.show.note(question_line(question))

    def _failures(self) -> Iterator[ActionState]:
        """All failures there are now, page by page."""
        cursor: str | None = None
        while True:
            page = self.connection.client.ledger.failures(self.run_id, cursor=cursor)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                return


def question_line(question: Approval) -> str:
    """`WAITS go@111111111111/eu-west-1 for ann or bob: On to all accounts? Answer: core approve <run>`"""
    who = " or ".join(question.approvers) or "anybody"
    needed = f"{question.quorum} of " if question.quorum > 1 else ""
    text = f": {question.message}" if question.message else ""
    return f"WAITS {question.action_id} for {needed}{who}{text} (core approve {question.run_id})"


def failure_line(state: ActionState) -> str:
    """`FAILED access@111111111111/eu-west-1: ...` in one line."""
    error = state.error
    reason = error.message if error else state.message or "no reason given"
    return f"FAILED {state.action_id}: {' '.join(reason.split())[:300]}"


def watch(
    connection: Connection,
    run_id: str,
    shell: Shell,
    alive: Callable[[], None] = lambda: None,
    *,
    taken_after: int = -1,
    patience: float = PICK_UP_SECONDS,
) -> RunState:
    """Follow a run to its end; one that is not there yet is waited for. Ctrl-C ends the watching, not the run."""
    try:
        with display(shell) as show:
            return Watch(connection, run_id, show, alive, taken_after, patience).until_end()
    except KeyboardInterrupt:
        shell.say(f"\nThe run goes on. Watch it again: core runs watch {run_id}\nStop it: core runs cancel {run_id}")
        if shell.json_mode:
            shell.emit({"RunId": run_id, "Status": "watching interrupted", "ExitCode": int(ExitCode.INTERRUPTED)}, "")
        shell.done(ExitCode.INTERRUPTED)
        raise
