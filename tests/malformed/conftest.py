"""Nothing malformed may get as far as AWS: every test here fails when a call leaves the process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import botocore.httpsession
import pytest

POLLERS = "activity-"
"""Threads of activity workers that a fixture of the whole session keeps in this process; they are nobody's call here."""


@pytest.fixture(autouse=True)
def nothing_leaves(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """No HTTP request to AWS (neither a stack, nor a run, nor a record), unless the test brings a cloud of its own."""
    sent: list[str] = []
    if "cloud" not in request.fixturenames:
        send = botocore.httpsession.URLLib3Session.send

        def refuse(session: Any, call: Any) -> Any:
            if threading.current_thread().name.startswith(POLLERS):
                return send(session, call)
            sent.append(str(getattr(call, "url", call)))
            raise AssertionError(f"a call to AWS: {sent[-1]}")

        monkeypatch.setattr(botocore.httpsession.URLLib3Session, "send", refuse)
    yield sent
    assert sent == []
