"""Access keys and the accounts behind them.

A 12-digit key *is* its account. Keys of sessions are learned from the answers of STS and written to a journal, so that
a restarted gateway knows them still; they end when AWS would end them.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path

_ACCOUNT = re.compile(r"\d{12}")


@dataclass(frozen=True, slots=True)
class Session:
    """Credentials that STS (or IAM, without an end) issued; `expires` is in epoch seconds, 0 for never."""

    access_key: str
    account: str
    arn: str
    user_id: str
    role_arn: str
    expires: float

    def expired(self, now: float) -> bool:
        """True once AWS would refuse the key."""
        return 0 < self.expires <= now


class SessionBook:
    """All keys that were issued, kept in an append-only journal (or in memory only, without a path)."""

    def __init__(self, default_account: str, journal: Path | None) -> None:
        self.default_account = default_account
        self._journal = journal
        self._sessions: dict[str, Session] = {}
        if journal is not None and journal.exists():
            self._load(journal)

    def add(self, session: Session) -> None:
        """Remember an issued key before its holder learns about it."""
        self._sessions[session.access_key] = session
        if self._journal is not None:
            with self._journal.open("a") as file:
                file.write(json.dumps(asdict(session)) + "\n")

    def get(self, access_key: str) -> Session | None:
        """The session behind a key, if the gateway has issued it."""
        return self._sessions.get(access_key)

    def account_of(self, access_key: str) -> str:
        """The account that a call with this key acts in; keys nobody issued act in the default account."""
        if _ACCOUNT.fullmatch(access_key):
            return access_key
        session = self._sessions.get(access_key)
        return session.account if session else self.default_account

    def clear(self) -> None:
        """Forget every key."""
        self._sessions.clear()
        if self._journal is not None:
            self._journal.unlink(missing_ok=True)

    def _load(self, journal: Path) -> None:
        """Read the journal; a torn last line (the process was killed while writing) is left out."""
        now = time.time()
        for line in journal.read_text().splitlines():
            try:
                session = Session(**json.loads(line))
            except (ValueError, TypeError):
                continue
            if not session.expired(now):
                self._sessions[session.access_key] = session
        fresh = journal.with_suffix(".tmp")
        fresh.write_text("".join(json.dumps(asdict(session)) + "\n" for session in self._sessions.values()))
        fresh.replace(journal)
