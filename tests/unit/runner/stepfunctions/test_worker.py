"""The activity worker: polls, answers everything it takes, survives AWS, ends in good order. Step Functions is a small fake."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from core_lib.framework.errors import ArtefactError, NotRunningError
from core_lib.framework.settings import load_settings
from core_lib.runner.stepfunctions import ActivityWorker
from core_lib.runner.stepfunctions import worker as module
from core_lib.runner.stepfunctions.interrupts import Interrupt

TASK = {"Step": "open", "With": {"RunId": "run-1"}}


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Call")


class States:
    """Step Functions: tasks to hand out, answers that came."""

    def __init__(self) -> None:
        self.tasks: list[Any] = []
        self.answers: list[tuple[str, dict[str, Any]]] = []
        self.beats = 0
        self.beat_error: Exception | None = None
        self.answer_error: Exception | None = None
        self.known = True

    def describe_activity(self, activityArn: str) -> dict[str, Any]:  # noqa: N803 - the API's name
        if not self.known:
            raise refusal("ActivityDoesNotExist")
        return {"activityArn": activityArn}

    def get_activity_task(self, **_: Any) -> dict[str, Any]:
        time.sleep(0.01)
        if not self.tasks:
            return {}
        task = self.tasks.pop(0)
        if isinstance(task, Exception):
            raise task
        return {"taskToken": f"token-{len(self.answers)}", "input": json.dumps(task)}

    def send_task_heartbeat(self, **_: Any) -> None:
        self.beats += 1
        if self.beat_error is not None:
            raise self.beat_error

    def send_task_success(self, **answer: Any) -> None:
        self._take("success", answer)

    def send_task_failure(self, **answer: Any) -> None:
        self._take("failure", answer)

    def _take(self, kind: str, answer: dict[str, Any]) -> None:
        self.answers.append((kind, answer))
        if self.answer_error is not None:
            raise self.answer_error


@contextmanager
def working(
    states: States, handle: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, concurrency: int = 1, **settings: Any
) -> Iterator[ActivityWorker]:
    """A worker on this fake, whose tasks are handled like this; it has ended afterwards."""
    monkeypatch.setattr(module, "handle", handle)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.02)
    identity = SimpleNamespace(account="123456789012", arn="arn:aws:iam::123456789012:root")
    sessions = SimpleNamespace(client=lambda *_: states, identity=identity, close=lambda: None)
    quick = {"aws.region": "eu-west-1", "stepfunctions.stop_seconds": 0.2} | settings
    worker = ActivityWorker(load_settings(quick), cast("Any", None), concurrency=concurrency, sessions=cast("Any", sessions))
    worker.open()
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(10)
        assert not thread.is_alive()


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_worker_when_a_task_comes_then_its_result_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    states = States()
    states.tasks = [TASK]
    with working(states, lambda task, *_: {"Way": task["Step"]}, monkeypatch):
        until(lambda: states.answers)
    assert states.answers == [("success", {"taskToken": "token-0", "output": '{"Way": "open"}'})]


def test_worker_when_a_task_fails_then_the_error_is_told_by_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ArtefactError("the bucket is gone", hint="make it again")

    states = States()
    states.tasks = [TASK]
    with working(states, fail, monkeypatch):
        until(lambda: states.answers)
    ((kind, answer),) = states.answers
    assert (kind, answer["error"]) == ("failure", "ArtefactError")
    assert json.loads(answer["cause"])["Hint"] == "make it again"


def test_worker_when_polling_fails_then_it_goes_on_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    states = States()
    lost = EndpointConnectionError(endpoint_url="http://states")
    states.tasks = [refusal("ThrottlingException"), lost, refusal("ExpiredTokenException"), TASK]
    with working(states, lambda *_: {}, monkeypatch):
        until(lambda: states.answers)
    assert states.answers[0][0] == "success"


def test_worker_when_an_answer_is_not_taken_then_it_goes_on_with_the_next_task(monkeypatch: pytest.MonkeyPatch) -> None:
    states = States()
    states.tasks = [TASK, TASK]
    states.answer_error = refusal("TaskTimedOut")
    with working(states, lambda *_: {}, monkeypatch):
        until(lambda: len(states.answers) == 2)


def test_worker_when_the_activity_does_not_exist_then_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    states = States()
    states.known = False
    with pytest.raises(NotRunningError) as caught, working(states, lambda *_: {}, monkeypatch):
        pass
    assert caught.value.where == "arn:aws:states:eu-west-1:123456789012:activity:core-steps"
    assert caught.value.hint is not None


def endless(task: Any, tools: Any, seconds: float, run: Any) -> Any:
    """A pass that only an interrupt ends."""
    import asyncio

    return run(asyncio.sleep(60))


def test_worker_when_it_ends_in_the_middle_of_a_pass_then_the_task_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    states = States()
    states.tasks = [TASK]
    with working(states, endless, monkeypatch):
        until(lambda: not states.tasks)
        time.sleep(0.05)
    ((kind, answer),) = states.answers
    assert (kind, answer["error"]) == ("failure", "RunError")
    assert "broken off" in answer["cause"]


def test_worker_when_the_state_machine_gave_the_task_up_then_the_pass_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_patient", lambda *_: None)
    states = States()
    states.tasks = [TASK]
    states.beat_error = refusal("TaskTimedOut")
    with working(states, endless, monkeypatch, **{"stepfunctions.heartbeat_seconds": 1}):
        until(lambda: states.answers)
    assert states.beats == 1
    assert states.answers[0][1]["error"] == "RunError"


def test_worker_when_heartbeats_meet_trouble_then_the_pass_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    states = States()
    states.tasks = [TASK]
    states.beat_error = refusal("ThrottlingException")

    def slow(*_: Any) -> dict[str, Any]:
        until(lambda: states.beats >= 1)
        return {}

    with working(states, slow, monkeypatch, **{"stepfunctions.heartbeat_seconds": 1}):
        until(lambda: states.answers)
    assert states.answers[0][0] == "success"


def test_worker_when_it_has_several_threads_then_tasks_are_done_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    states = States()
    states.tasks = [TASK, TASK, TASK]
    meeting = threading.Barrier(3)

    def meet(*_: Any) -> dict[str, Any]:
        meeting.wait(10)
        return {}

    with working(states, meet, monkeypatch, concurrency=3):
        until(lambda: len(states.answers) == 3)
    assert {kind for kind, _ in states.answers} == {"success"}


def test_interrupt_when_nothing_runs_then_it_does_nothing() -> None:
    interrupt = Interrupt()
    interrupt.now()

    async def work() -> int:
        return 7

    assert interrupt.run(work()) == 7
