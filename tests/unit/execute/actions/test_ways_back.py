"""Kinds that cannot take back what they did say so, and those that stop at once change nothing more: with no client at all."""

from __future__ import annotations

import pytest

from core_lib.execute import Done, find_kind
from tests.builders.contexts import context_of

NO_WAY_BACK = {
    "AWS::DeleteUser": "cannot be brought back",
    "AWS::InvokeLambda": "cannot be undone",
    "AWS::PutMetricData": "cannot delete metrics",
    "AWS::RunCodeBuild": "cannot be undone",
    "AWS::StartStepFunction": "cannot be undone",
    "SYSTEM::HttpRequest": "cannot be undone",
    "SYSTEM::Notify": "cannot be called back",
    "SYSTEM::PutEvent": "history stays",
    "SYSTEM::SendEmail": "cannot be called back",
}


@pytest.mark.undo("AWS::DeleteUser", "AWS::InvokeLambda", "AWS::PutMetricData", "AWS::RunCodeBuild", "AWS::StartStepFunction")
@pytest.mark.undo("SYSTEM::HttpRequest", "SYSTEM::Notify", "SYSTEM::PutEvent", "SYSTEM::SendEmail")
def test_undo_when_there_is_no_way_back_then_it_says_why_and_touches_nothing() -> None:
    for name, words in NO_WAY_BACK.items():
        kind = find_kind(name)
        done = kind().undo(context_of(kind, scratch={"at": 0.0}, **kind.example))
        assert isinstance(done, Done)
        assert (done.changed, words in (done.message or "")) == (False, True), name


@pytest.mark.cancel("AWS::WaitForAlarm", "SYSTEM::HttpRequest")
def test_cancel_when_it_only_looks_again_and_again_then_it_ends_at_once() -> None:
    for name in ("AWS::WaitForAlarm", "SYSTEM::HttpRequest"):
        kind = find_kind(name)
        done = kind().cancel(context_of(kind, scratch={"until": "2999-01-01T00:00:00+00:00"}, **kind.example))
        assert isinstance(done, Done)
        assert not done.changed


@pytest.mark.cancel("AWS::DeleteUser")
def test_cancel_when_some_users_are_deleted_already_then_they_are_named() -> None:
    kind = find_kind("AWS::DeleteUser")
    step = kind().cancel(context_of(kind, scratch={"done": 2, "deleted": ["ann", "bob"]}, UserNames=["ann", "bob", "eve"]))
    assert step == Done(message="deleted before that: ann, bob")
