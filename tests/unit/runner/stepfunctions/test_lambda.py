"""The Lambda function keeps within its time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core_lib.framework.errors import ArtefactError
from core_lib.runner.stepfunctions import aws_lambda


class Context:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


@pytest.fixture
def shifts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """How long the passes may go on, in the order of the calls."""
    given: list[float] = []

    def handle(event: Any, tools: Any, seconds: float) -> dict[str, Any]:
        given.append(seconds)
        return {"Event": event}

    monkeypatch.setattr(aws_lambda, "handle", handle)
    monkeypatch.setattr(aws_lambda, "configure", lambda settings: None)
    aws_lambda._tools.cache_clear()
    yield given
    aws_lambda._tools.cache_clear()


@pytest.mark.parametrize(("left", "shift"), [(300, 20), (40, 10), (10, 0)])
def test_handler_when_so_much_time_is_left_then_a_pass_ends_before_it(left: float, shift: float, shifts: list[float]) -> None:
    assert aws_lambda.handler({"Step": "open"}, Context(left)) == {"Event": {"Step": "open"}}
    assert shifts == [shift]


def test_handler_when_called_again_then_the_tools_are_the_same(shifts: list[float]) -> None:
    aws_lambda.handler({}, Context(300))
    first = aws_lambda._tools()
    aws_lambda.handler({}, Context(300))
    assert aws_lambda._tools() is first


def test_handler_when_the_task_fails_then_lambda_gets_the_error_itself(
    shifts: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ArtefactError("the bucket is gone")

    monkeypatch.setattr(aws_lambda, "handle", fail)
    with pytest.raises(ArtefactError, match="the bucket is gone"):
        aws_lambda.handler({}, Context(300))
