"""Choosing which failures of a run to try again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core_lib.framework.errors import InputError, NotFoundError, RunStateError

if TYPE_CHECKING:
    from core_lib.report import FailureGroup, RunSummary


@dataclass(frozen=True)
class Choice:
    """What `Options.Only` has to be, and lines that say what that means."""

    only: str
    lines: tuple[str, ...]


def chosen(summary: RunSummary, only: str | None, groups: Sequence[str]) -> Choice:
    """The groups of failures that are tried again: all, the passing ones, or those with these fingerprints (or their beginning).

    Raises:
        InputError: both ways of choosing were used, or a beginning fits several groups.
        NotFoundError: no group of this run has that fingerprint.
        RunStateError: nothing that was asked for has failed.
    """
    if only and groups:
        raise InputError("--only and --group exclude each other", hint="--group names the groups exactly")
    if groups:
        found = [_named(summary, name) for name in groups]
        return Choice(",".join(dict.fromkeys(group.fingerprint for group in found)), tuple(_lines(found)))
    meant = [group for group in summary.failures if only != "transient" or group.transient]
    if not meant:
        what = "nothing failed for a passing reason" if only == "transient" and summary.failures else "nothing has failed"
        raise RunStateError(what, where=summary.run_id, hint=f"core runs show {summary.run_id}")
    return Choice(only or "failed", tuple(_lines(meant)))


def _named(summary: RunSummary, name: str) -> FailureGroup:
    fitting = [group for group in summary.failures if group.fingerprint.startswith(name)]
    if len(fitting) > 1:
        raise InputError(f"several groups begin with {name!r}", where=summary.run_id, hint="give all twelve digits")
    if not fitting:
        known = ", ".join(group.fingerprint for group in summary.failures) or "none"
        raise NotFoundError(f"no group of failures is called {name!r}", where=summary.run_id, hint=f"there are: {known}")
    return fitting[0]


def _lines(groups: Sequence[FailureGroup]) -> Iterator[str]:
    for group in groups:
        waiting = f", and {group.blocked:,} that waited" if group.blocked else ""
        yield f"trying again: {group.count:,} of {', '.join(group.actions[:4])} ({group.title or group.message[:80]}){waiting}"
