"""Is a member healthy, and if not, what did it say last?"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from pathlib import Path

LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens URLs of this machine: never through a proxy."""


def healthy(url: str, timeout: float = 2.0) -> bool:
    """True if the URL answers 200 within `timeout` seconds."""
    try:
        with LOCAL.open(url, timeout=timeout) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return False
    except (OSError, http.client.HTTPException):
        return False


def last_lines(log: Path, count: int = 5) -> str:
    """The last lines of a log, on one line."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "no output"
    return " | ".join(line.strip() for line in lines[-count:] if line.strip()) or "no output"
