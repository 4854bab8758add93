"""Following a run: what is shown, when it ends, and what happens when nobody works on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer

from cli.connection import Connection
from cli.progress import PICK_UP_SECONDS, Lines, Watch, describe, failure_line, watch
from cli.running import error_from
from cli.shell import Shell
from core_lib.db import Page
from core_lib.framework import errors
from core_lib.framework.models import ActionState, ActionStatus, ErrorInfo, RunState, RunStatus, Task

RUN = RunState(
    run_id="20261123-071500-ab12cd", client="acme", prn="prn:platform:baseline:main:1", task=Task.DEPLOY,
    status=RunStatus.RUNNING, plan_hash="h", plan_key="k", created_at=datetime(2026, 11, 23, tzinfo=UTC),
    action_count=10, epoch=1,
)  # fmt: skip


def run(status: RunStatus = RunStatus.RUNNING, *, epoch: int = 1, **counts: int) -> RunState:
    return RUN.but(status=status, counts=counts, epoch=epoch)


def failed(name: str, attempt: int = 1) -> ActionState:
    info = ErrorInfo(code="CORE-4003", message="it broke\n  badly")
    return ActionState(run_id=RUN.run_id, action_id=name, status=ActionStatus.FAILED, attempt=attempt, error=info)


@dataclass
class Screen:
    """Remembers what was shown."""

    updates: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def update(self, run: RunState) -> None:
        self.updates.append(describe(run))

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass
class Platform:
    """A CMDB that plays a list of run states, one for each look, and a clock that moves when somebody sleeps."""

    states: list[RunState | None]
    failures: list[ActionState] = field(default_factory=list)
    worker: bool = True
    now: float = 0.0
    asked: list[str | None] = field(default_factory=list)

    def find(self, run_id: str) -> RunState | None:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def get(self, run_id: str) -> RunState | None:
        return self.find(run_id)

    def alive(self, run: RunState) -> bool:
        return self.worker

    def failures_of(self, run_id: str, *, cursor: str | None) -> Page[ActionState]:
        self.asked.append(cursor)
        return Page(tuple(self.failures), None)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def watch(self, screen: Screen, alive: Callable[[], None] = lambda: None, taken_after: int = -1) -> Watch:
        client = SimpleNamespace(runs=self, ledger=SimpleNamespace(failures=self.failures_of))
        connection = cast("Connection", SimpleNamespace(client=client))
        return Watch(connection, RUN.run_id, screen, alive, taken_after, sleep=self.sleep, clock=lambda: self.now)


def test_watch_shows_each_state_until_the_run_ends() -> None:
    screen = Screen()
    platform = Platform([None, run(), run(succeeded=4), run(RunStatus.SUCCEEDED, succeeded=10)])

    ended = platform.watch(screen).until_end()

    assert ended.status is RunStatus.SUCCEEDED
    assert screen.updates == ["running: 0/10 actions", "running: 4/10 actions", "succeeded: 10/10 actions"]


def test_watch_tells_each_failure_once_and_as_it_happens() -> None:
    screen = Screen()
    platform = Platform(
        [run(), run(failed=1), run(failed=1), run(RunStatus.FAILED, failed=2)], failures=[failed("a"), failed("b")]
    )

    platform.watch(screen).until_end()

    assert screen.notes == ["FAILED a: it broke badly", "FAILED b: it broke badly"]


def test_watch_when_no_failure_happens_does_not_ask_for_any() -> None:
    platform = Platform([run(), run(RunStatus.SUCCEEDED, succeeded=10)])

    platform.watch(Screen()).until_end()

    assert platform.asked == []


def test_watch_of_a_resumed_run_waits_until_a_new_worker_has_it() -> None:
    screen = Screen()
    platform = Platform([run(RunStatus.FAILED, epoch=1, failed=1), run(epoch=2), run(RunStatus.SUCCEEDED, epoch=2, succeeded=10)])

    ended = platform.watch(screen, taken_after=1).until_end()

    assert ended.status is RunStatus.SUCCEEDED
    assert len(screen.updates) == 2


def test_watch_of_a_resumed_run_does_not_tell_the_failures_that_were_there_before() -> None:
    before, after = failed("a@111111111111/eu-west-1"), failed("a@111111111111/eu-west-1", attempt=2)
    states = [run(epoch=2, failed=1), run(RunStatus.FAILED, epoch=2, failed=1)]
    platform, screen = Platform(cast("list[RunState | None]", states), [before]), Screen()
    watching = platform.watch(screen, taken_after=1)
    watching.until_end()
    assert screen.notes == []
    platform.states, platform.failures = [run(RunStatus.FAILED, epoch=3, failed=1)], [before, after]
    platform.watch(screen).until_end()
    assert len(screen.notes) == 2


def test_watch_when_the_flow_ended_without_a_run_raises_its_error() -> None:
    def dead() -> None:
        raise errors.RunError("crashed")

    with pytest.raises(errors.RunError, match="crashed"):
        Platform([None]).watch(Screen(), dead).until_end()


def test_watch_when_nobody_picks_the_run_up_gives_up_after_a_while() -> None:
    platform = Platform([None])

    with pytest.raises(errors.NotRunningError, match="no worker"):
        platform.watch(Screen()).until_end()

    assert platform.now == pytest.approx(PICK_UP_SECONDS, abs=2)


def test_watch_when_the_worker_is_gone_says_how_to_go_on() -> None:
    with pytest.raises(errors.NotRunningError) as caught:
        Platform([run()], worker=False).watch(Screen()).until_end()

    assert f"core runs resume {RUN.run_id}" in str(caught.value.hint)


def test_lines_say_something_new_at_most_every_ten_seconds_and_how_long_it_may_take_from_its_start_on() -> None:
    said: list[str] = []
    now = [0.0]
    lines = Lines(said.append, clock=lambda: now[0])
    lines.update(run(RunStatus.PENDING))

    for moment, done in ((60.0, 0), (61.0, 1), (70.0, 5), (80.0, 5), (90.0, 10)):
        now[0] = moment
        lines.update(run(succeeded=done).but(started_at=RUN.created_at))

    assert said == [
        "pending: 0/10 actions",
        "running: 0/10 actions",
        "running: 5/10 actions, about 10 s left",
        "running: 10/10 actions",
    ]


def test_describe_counts_what_went_wrong() -> None:
    assert describe(run(succeeded=3, failed=1, blocked=2)) == "running: 6/10 actions, 1 failed, 2 blocked"


def test_failure_line_without_an_error_still_says_something() -> None:
    assert failure_line(failed("a").but(error=None)) == "FAILED a: no reason given"


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        ("Flow run failed: CORE-2001 here: no such account", errors.TargetError, "here: no such account"),
        ("Process exited with status code: 1", errors.RunError, "Process exited with status code: 1"),
        ("CORE-9999 from the future", errors.RunError, "from the future"),
    ],
)  # fmt: skip
def test_error_from_a_flow_has_the_class_of_its_code(message: str, kind: type[Any], text: str) -> None:
    error = error_from(message, "run")

    assert type(error) is kind
    assert error.message == text


@pytest.mark.parametrize("json_mode", [True, False])
def test_interrupt_while_watching_leaves_the_run_and_says_how_to_come_back(
    json_mode: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted:
        def find(self, run_id: str) -> None:
            raise KeyboardInterrupt

    connection = cast("Connection", SimpleNamespace(client=SimpleNamespace(runs=Interrupted())))

    with pytest.raises(typer.Exit) as ended:
        watch(connection, RUN.run_id, Shell(json_mode=json_mode))

    shown = capsys.readouterr()
    assert ended.value.exit_code == 130
    assert f"core runs watch {RUN.run_id}" in shown.err
    assert f"core runs cancel {RUN.run_id}" in shown.err
    assert (json.loads(shown.out)["ExitCode"] == 130) if json_mode else shown.out == ""
