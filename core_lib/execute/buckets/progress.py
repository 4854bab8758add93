"""How far the emptying of a bucket has come. It fits a ledger row: counters, a cursor, and a few examples of what was refused."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

MOST_EXAMPLES = 5


@dataclass
class Progress:
    """One pass after the other over the bucket, until a whole pass finds nothing.

    `cursor`: where listing goes on; {} = from the beginning, which is right as long as nothing was left behind. `found`: what
    this pass has seen; `left`: keys of it that may be deleted by the next one; `refused`: keys that S3 will not delete.
    """

    stage: str = "versions"
    cursor: dict[str, str] = field(default_factory=dict)
    passes: int = 0
    found: int = 0
    deleted: int = 0
    aborted: int = 0
    left: int = 0
    refused: int = 0
    examples: list[str] = field(default_factory=list)

    def as_scratch(self) -> dict[str, Any]:
        """For the ledger."""
        return asdict(self)

    @property
    def changed(self) -> bool:
        """Whether anything is gone."""
        return bool(self.deleted or self.aborted)

    def refuse(self, key: str, reason: str) -> None:
        """Count a key that stays, and keep it as an example while there are few."""
        self.refused += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(f"{key} ({reason})")

    def next_stage(self) -> None:
        """After the object versions the unfinished uploads."""
        self.stage, self.cursor = "uploads", {}

    def next_pass(self) -> None:
        """Once more from the beginning."""
        self.stage, self.cursor, self.found, self.left = "versions", {}, 0, 0
        self.passes += 1

    def __str__(self) -> str:
        uploads = f", {self.aborted} unfinished uploads aborted" if self.aborted else ""
        return f"{self.deleted} object versions and delete markers deleted{uploads}"
