"""Correlation ids: the names of runs. They sort by time and can be read aloud."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime


def new_run_id(now: datetime | None = None) -> str:
    """A fresh correlation id such as `20261123-071500-ab12cd`: UTC date, UTC time, six random hex digits."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
