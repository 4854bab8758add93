"""Faults on purpose: throttling, server errors, latency, resets, lost acknowledgements.

A rule says which calls it meets (regular expressions that must match in full), how often, and what happens then. The
first rule that fires decides.
"""

from __future__ import annotations

import random
import re
import time
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, model_validator


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as problem:
        raise ValueError(f"not a regular expression: {problem}") from problem
    return text


Pattern = Annotated[str, AfterValidator(_regex)]


class FaultMatch(BaseModel):
    """The calls a rule meets; each field is a regular expression over the whole value, the default meets all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: Pattern = ".*"
    operation: Pattern = ".*"
    region: Pattern = ".*"
    account: Pattern = ".*"


class FaultError(BaseModel):
    """The error that AWS would answer with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = "ThrottlingException"
    message: str = "Rate exceeded"
    status: int = Field(default=400, ge=400, le=599)


class FaultRule(BaseModel):
    """One rule.

    How often: `after` skips that many matching calls, `every` fires on each n-th of the rest, `times` bounds the number of
    firings, `probability` thins them out. With `rate` it fires only on calls beyond so many per second (after a `burst`), counted
    for each service, account and region, as AWS throttles. What: `delay` seconds first (alone, or before one of the others), then
    one of `error` (answered instead of the call), `reset` (connection aborted, call not made), `drop_response` (the call is made,
    its answer is lost).
    """

    model_config = ConfigDict(extra="forbid")

    match: FaultMatch = FaultMatch()
    after: int = Field(default=0, ge=0)
    every: int = Field(default=1, ge=1)
    times: int | None = Field(default=None, ge=1)
    probability: float = Field(default=1.0, ge=0, le=1)
    rate: float | None = Field(default=None, gt=0)
    burst: float = Field(default=1.0, ge=1)
    delay: float = Field(default=0.0, ge=0, le=300)
    error: FaultError | None = None
    reset: bool = False
    drop_response: bool = False

    _matched: int = PrivateAttr(default=0)
    _fired: int = PrivateAttr(default=0)
    _tokens: dict[tuple[str, str, str], tuple[float, float]] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        effects = sum([self.error is not None, self.reset, self.drop_response])
        if effects > 1:
            raise ValueError("a rule has one of error, reset and drop_response")
        if effects == 0 and self.delay == 0:
            raise ValueError("a rule without error, reset, drop_response or delay does nothing")
        return self

    @property
    def effect(self) -> str:
        """The name of what the rule does, as the call log shows it."""
        if self.error is not None:
            return self.error.code
        return "reset" if self.reset else "drop_response" if self.drop_response else "delay"

    def fires(self, service: str, operation: str, region: str, account: str, dice: random.Random) -> bool:
        """Count the call if it matches; true if the rule fires on it."""
        pairs = (
            (self.match.service, service), (self.match.operation, operation),
            (self.match.region, region), (self.match.account, account),
        )  # fmt: skip
        if not all(re.fullmatch(pattern, value) for pattern, value in pairs):
            return False
        self._matched += 1
        rank = self._matched - self.after
        spent = self.times is not None and self._fired >= self.times
        if rank < 1 or rank % self.every or spent or dice.random() >= self.probability:
            return False
        if self.rate is not None and self._has_token(self.rate, (service, account, region)):
            return False
        self._fired += 1
        return True

    def _has_token(self, rate: float, place: tuple[str, str, str]) -> bool:
        """Take a token of the place's bucket, if there is one."""
        now = time.monotonic()
        left, seen = self._tokens.get(place, (self.burst, now))
        left = min(self.burst, left + (now - seen) * rate)
        self._tokens[place] = (left - 1, now) if left >= 1 else (left, now)
        return left >= 1

    def statistics(self) -> dict[str, object]:
        """The rule with how many calls it has met and how often it has fired."""
        return self.model_dump(exclude_defaults=True) | {"matched": self._matched, "fired": self._fired}


class FaultBook:
    """The rules in force, in order."""

    def __init__(self, seed: int = 0) -> None:
        self._dice = random.Random(seed)  # noqa: S311  (not a secret: repeatable rehearsals)
        self.rules: list[FaultRule] = []

    def pick(self, service: str, operation: str, region: str, account: str) -> FaultRule | None:
        """The first rule that fires on this call."""
        for rule in self.rules:
            if rule.fires(service, operation, region, account, self._dice):
                return rule
        return None
