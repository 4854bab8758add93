"""One name for the same failure in a hundred accounts: everything that only says *where* is taken out of the message.

What the failure of a stack is called after is its first cause: the type of the resource that failed, and the reason. The
stack, the resource's logical id and what failed after it do not matter.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from core_lib.framework.models import ErrorInfo, Plan, PlanAction

LONGEST_MESSAGE = 4_000

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\barn:aws[a-z-]*:([a-z0-9-]+):[^\s'\",)]*"), r"<arn:\1>"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<uuid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-gov|-iso[a-z]?)?-(?:[a-z]+)-\d[a-z]?\b"), "<region>"),
    (re.compile(r"\b([a-z]{1,12})-(?=[0-9a-f]*\d)[0-9a-f]{8,17}\b"), r"\1-<id>"),
    (re.compile(r"\b\d{12}\b"), "<account>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?\b"), "<ip>"),
    (re.compile(r"\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{12,}\b"), "<id>"),
    (re.compile(r"\b(?=[A-Z]*\d)[A-Z0-9]{12,}\b"), "<id>"),
    (re.compile(r"\b\d{4,}\b"), "<number>"),
)

_RESOURCE = r"[\w.]+ \((?P<{0}>[A-Z]\w*(?:::[\w@-]+)+)\) [A-Z_]+_FAILED: "
_FIRST = re.compile(_RESOURCE.format("type") + r"(?P<reason>.*)", re.DOTALL)
_NEXT = re.compile(r"; (?:" + _RESOURCE.format("_") + r"|and \d+ more$)")


def root_cause(message: str) -> str:
    """The first cause in the text of a stack's failure, `AWS::S3::Bucket: reason`; other texts as they are."""
    found = _FIRST.search(message)
    if found is None:
        return message
    return f"{found['type']}: {_NEXT.split(found['reason'], maxsplit=1)[0]}"


def names_of(plan: Plan, action: PlanAction | None) -> list[str]:
    """What an action's messages may call its place: the account's name, the stack's name."""
    if action is None:
        return []
    target = plan.target_by_key.get(action.target)
    stack = action.spec.get("StackName")
    return [name for name in (target and target.account_name, stack) if isinstance(name, str)]


def normalise(message: str, names: Iterable[str] = ()) -> str:
    """The message without ARNs, ids, account numbers, regions, times, addresses, and without these `names`.

    `names` are the words that differ from target to target (account names, stack names); longer ones are taken out first.
    """
    text = message[:LONGEST_MESSAGE]
    for name in sorted({name for name in names if name}, key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "<name>", text)
    for pattern, word in _PATTERNS:
        text = pattern.sub(word, text)
    return " ".join(text.split())


def fingerprint(error: ErrorInfo, names: Iterable[str] = ()) -> str:
    """Twelve hex digits that failures of the same kind share: code, cause and the normalised root of the message."""
    body = "\n".join((error.code, error.cause, normalise(root_cause(error.message), names)))
    return hashlib.sha256(body.encode()).hexdigest()[:12]
