"""What is opened to whom: every rule in words, for `core explain` and for reviews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Opened:
    """One thing that one source may do.

    `allow` is the item as it is written (`TCP:443`, `read`). A network rule has `protocol` (`tcp`, `udp`, `icmp`, `-1` for
    all) and `ports` (from, to; None where there are none), an IAM rule has `actions` and `resources`.
    """

    component: str
    entry: str
    source: str
    allow: str
    kind: Literal["network", "iam"]
    where: str
    protocol: str | None = None
    ports: tuple[int, int] | None = None
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    is_everyone: bool = False
    """Whether the source is the whole internet."""

    def __str__(self) -> str:
        what = f"{self.component} {self.entry}"
        if self.kind == "network":
            return f"{self.source} may reach {what} by {self.allow}"
        return f"{self.source} may {self.allow} {what}"
