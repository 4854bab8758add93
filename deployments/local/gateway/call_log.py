"""What went through the gateway: the recent calls, and a counter for each (service, operation, account, region)."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One finished call. `status` 0 means that no answer reached the caller; `duration` is in seconds."""

    time: float
    service: str
    operation: str
    account: str
    region: str
    status: int
    fault: str | None
    duration: float


class CallLog:
    """A bounded log with unbounded counters; counting starts again at `clear`."""

    def __init__(self, keep: int = 5000) -> None:
        self._recent: deque[LoggedCall] = deque(maxlen=keep)
        self._counts: Counter[tuple[str, str, str, str]] = Counter()

    def add(self, call: LoggedCall) -> None:
        """Record one finished call."""
        self._recent.append(call)
        self._counts[call.service, call.operation, call.account, call.region] += 1

    def clear(self) -> None:
        """Forget the calls and their counts."""
        self._recent.clear()
        self._counts.clear()

    def as_dict(self, limit: int) -> dict[str, object]:
        """The last `limit` calls, oldest first, and all counts."""
        recent = list(self._recent)[-limit:] if limit else []
        counts = [
            {"service": service, "operation": operation, "account": account, "region": region, "count": count}
            for (service, operation, account, region), count in sorted(self._counts.items())
        ]
        return {"recent": [asdict(call) for call in recent], "counts": counts, "total": self._counts.total()}
