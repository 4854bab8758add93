"""Approvals in the CMDB: asked once, answered once by each, open ones found again, withdrawn and asked again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core_lib.db import ClientCmdb
from core_lib.framework.errors import ApprovalError, NotFoundError
from core_lib.framework.models import Approval, ApprovalStatus, Decision, Verdict
from tests.unit.db.builders import EARLY

RUN = "20261101-080000-aaaaaa"
GO = "go@111111111111/eu-west-1"


def question(action_id: str = GO, **fields: object) -> Approval:
    values = {"run_id": RUN, "action_id": action_id, "prn": "prn:web:shop", "asked_at": EARLY, "requested_by": "ann"}
    return Approval.model_validate(values | fields)


def yes(by: str) -> Decision:
    return Decision(by=by, verdict=Verdict.APPROVED, at=EARLY)


def test_ask_when_asked_twice_then_the_answers_of_the_first_time_stay(acme: ClientCmdb) -> None:
    acme.approvals.ask(question(quorum=2))
    acme.approvals.decide(RUN, GO, 1, yes("bob"))
    again = acme.approvals.ask(question(quorum=2, asked_at=EARLY + timedelta(hours=1)))
    assert [decision.by for decision in again.decisions] == ["bob"]
    assert again.asked_at == EARLY


def test_decide_when_enough_said_yes_then_it_is_approved_and_nobody_is_asked_any_more(acme: ClientCmdb) -> None:
    acme.approvals.ask(question(quorum=2))
    assert acme.approvals.decide(RUN, GO, 1, yes("bob")).status is ApprovalStatus.OPEN
    assert acme.approvals.decide(RUN, GO, 1, yes("eve")).status is ApprovalStatus.APPROVED
    with pytest.raises(ApprovalError, match="approved; nobody is asked"):
        acme.approvals.decide(RUN, GO, 1, yes("joe"))
    assert acme.approvals.list_open().items == ()
    assert len(acme.approvals.get(RUN, GO, 1).decisions) == 2


def test_list_open_when_there_are_many_then_they_come_oldest_first_in_pages(acme: ClientCmdb) -> None:
    for number in (3, 1, 2):
        acme.approvals.ask(question(f"go{number}@111111111111/eu-west-1", asked_at=EARLY + timedelta(minutes=number)))
    first = acme.approvals.list_open(limit=2)
    rest = acme.approvals.list_open(limit=2, cursor=first.cursor)
    assert [one.action_id[:3] for one in (*first.items, *rest.items)] == ["go1", "go2", "go3"]


def test_withdraw_when_the_run_is_cancelled_then_open_ones_close_and_can_be_asked_again(acme: ClientCmdb) -> None:
    acme.approvals.ask(question())
    acme.approvals.ask(question("ask@111111111111/eu-west-1"))
    acme.approvals.withdraw(RUN, GO)
    assert acme.approvals.get(RUN, GO, 1).status is ApprovalStatus.WITHDRAWN
    assert [one.action_id for one in acme.approvals.list_open().items] == ["ask@111111111111/eu-west-1"]
    assert acme.approvals.ask(question()).status is ApprovalStatus.OPEN
    assert len(acme.approvals.list_open().items) == 2


def test_decide_when_two_answer_from_the_same_version_then_none_is_lost(
    acme: ClientCmdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = acme.approvals.ask(question(quorum=3))
    acme.approvals.decide(RUN, GO, 1, yes("bob"))
    real = acme.approvals.get
    answers = iter([stale])
    monkeypatch.setattr(acme.approvals, "get", lambda *key: next(answers, None) or real(*key))
    after = acme.approvals.decide(RUN, GO, 1, yes("eve"))
    assert [decision.by for decision in after.decisions] == ["bob", "eve"]


def test_get_when_nobody_was_asked_then_it_says_so(acme: ClientCmdb) -> None:
    with pytest.raises(NotFoundError, match="nobody was asked"):
        acme.approvals.get(RUN, GO, 1)
