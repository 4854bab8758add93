"""Session keys lead to their account, also after a restart, until they end."""

from __future__ import annotations

import time
from pathlib import Path

from deployments.local.gateway.sessions import Session, SessionBook


def session(key: str, *, seconds: float = 60) -> Session:
    return Session(key, "200000000001", "arn:aws:sts::200000000001:assumed-role/r/s", "AROA:s", "role", time.time() + seconds)


def test_account_when_the_key_has_twelve_digits_then_it_is_the_key() -> None:
    assert SessionBook("100000000000", None).account_of("300000000001") == "300000000001"


def test_account_when_nobody_issued_the_key_then_it_is_the_default() -> None:
    assert SessionBook("100000000000", None).account_of("test") == "100000000000"


def test_session_when_the_gateway_restarts_then_it_is_known_still(tmp_path: Path) -> None:
    journal = tmp_path / "sessions.jsonl"
    SessionBook("100000000000", journal).add(session("ASIA1"))
    assert SessionBook("100000000000", journal).account_of("ASIA1") == "200000000001"


def test_session_when_it_has_ended_then_a_restart_forgets_it(tmp_path: Path) -> None:
    journal = tmp_path / "sessions.jsonl"
    SessionBook("100000000000", journal).add(session("ASIA1", seconds=-1))
    assert SessionBook("100000000000", journal).get("ASIA1") is None


def test_journal_when_its_last_line_is_torn_then_the_others_are_kept(tmp_path: Path) -> None:
    journal = tmp_path / "sessions.jsonl"
    SessionBook("100000000000", journal).add(session("ASIA1"))
    with journal.open("a") as file:
        file.write('{"access_key": "ASIA2", "acc')
    book = SessionBook("100000000000", journal)
    assert book.get("ASIA1") is not None
    book.add(session("ASIA3"))
    assert SessionBook("100000000000", journal).get("ASIA3") is not None


def test_expired_when_the_end_is_zero_then_it_never_is() -> None:
    assert not Session("AKIA1", "200000000001", "", "", "", 0.0).expired(time.time() + 1e9)
