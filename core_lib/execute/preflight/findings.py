"""What a pre-flight found: single findings, and the same ones in many targets as one group."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol

from pydantic import ValidationError

from core_lib.execute.failures import known_cause, normalise
from core_lib.execute.memory import run_prefix
from core_lib.framework.errors import RunStateError
from core_lib.framework.models import ErrorInfo, Message, Plan

FILE = "preflight.json"
CODE = "CORE-5006"
Check = Literal["access", "state", "clash", "template", "reference", "quota"]


class Finding(Message):
    """One thing that was found. An `error` would make the run fail, a `warning` a person should know."""

    check: Check
    message: str
    severity: Literal["error", "warning"] = "error"
    hint: str | None = None
    stack: str | None = None


class FindingGroup(Message):
    """The same finding in many targets; `message` is of the first."""

    check: Check
    severity: Literal["error", "warning"]
    message: str
    hint: str | None = None
    targets: tuple[str, ...]


class PreflightReport(Message):
    """Everything that was found, errors first, what concerns most targets first. `targets` counts those that were looked at."""

    targets: int = 0
    groups: tuple[FindingGroup, ...] = ()


class _Reader(Protocol):
    def exists(self, key: str) -> bool: ...

    def get(self, key: str) -> bytes: ...


def grouped(plan: Plan, found: Mapping[str, Sequence[Finding]], targets: int) -> PreflightReport:
    """The findings by target, as groups."""
    groups: dict[tuple[str, str, str], tuple[Finding, dict[str, None]]] = {}
    for key, findings in found.items():
        target = plan.target_by_key.get(key)
        for finding in findings:
            names = [name for name in (target and target.account_name, finding.stack) if name]
            same = (finding.severity, finding.check, normalise(finding.message, names))
            groups.setdefault(same, (finding, {}))[1].setdefault(key)
    ordered = sorted(groups.items(), key=lambda item: (item[0][0], -len(item[1][1]), item[0]))
    return PreflightReport(targets=targets, groups=tuple(_group(finding, places) for _, (finding, places) in ordered))


def failure(findings: Sequence[Finding], where: str) -> ErrorInfo:
    """The error of a target with these findings."""
    texts = [finding.message for finding in findings]
    message = texts[0] if len(texts) == 1 else f"{len(texts)} findings: {'; '.join(texts)}"
    hints = [finding.hint for finding in findings if finding.hint]
    return ErrorInfo(
        code=CODE, message=f"nothing was changed, pre-flight says: {message}", where=where, hint=hints[0] if hints else None
    )


def of_error(check: Check, error: ErrorInfo, *, stack: str | None = None) -> Finding:
    """What AWS answered, as a finding."""
    known = known_cause(error)
    return Finding(check=check, message=error.message, hint=error.hint or (known.fix if known else None), stack=stack)


def read_preflight(store: _Reader, plan: Plan, run_id: str) -> PreflightReport | None:
    """What the pre-flight of a run found; None when there was nothing to say.

    Raises:
        ArtefactError: the store says no.
        RunStateError: what was kept cannot be read.
    """
    key = f"{run_prefix(plan, run_id)}/{FILE}"
    if not store.exists(key):
        return None
    try:
        return PreflightReport.model_validate(json.loads(store.get(key)))
    except (ValueError, ValidationError) as error:
        raise RunStateError("what the pre-flight found cannot be read", where=key) from error


def _group(finding: Finding, places: Iterable[str]) -> FindingGroup:
    return FindingGroup(
        check=finding.check, severity=finding.severity, message=finding.message, hint=finding.hint, targets=tuple(sorted(places))
    )
