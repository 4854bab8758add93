"""An explanation as text: sentences that a security reviewer can sign, one subject after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from core_lib.component.explain.access import ANYBODY, TAKE_ON, Permission
from core_lib.component.explain.encryption import AWS_KEY
from core_lib.component.explain.explanation import Explanation, Stack
from core_lib.component.explain.network import EVERYBODY, Opening
from core_lib.component.explain.words import listed
from core_lib.component.model import APPLICATION

_MOST_LISTED = 6


def sentences(told: Explanation) -> str:
    """The explanation as plain text, with a heading for each subject."""
    subjects = (
        ("Made", _made(told)), ("Encrypted", _encrypted(told)), ("Opened", _opened(told)), ("Allowed", _allowed(told)),
        ("Reached at", _names(told)), ("Given out", (f"{name}: {what}" for name, what in told.outputs.items())),
        ("Order", _order(told)), ("Kept and deleted", _kept(told)), ("Guard rails", _findings(told)),
    )  # fmt: skip
    lines = [f"{told.component} ({told.type}): {told.purpose}"]
    for title, found in subjects:
        body = list(dict.fromkeys(found))
        if body:
            lines += ["", title, *(f"  {line}" for line in body)]
    return "\n".join(lines)


def _made(told: Explanation) -> Iterator[str]:
    if told.goes_on_with:
        yield f"It makes no resources of its own and goes on using those of the released build, in {told.goes_on_with}."
    for stack in told.stacks:
        yield f"{stack.stage}: stack {stack.name} with {_resources(stack)}."


def _resources(stack: Stack) -> str:
    if not stack.resources:
        return "outputs alone"
    if len(stack.resources) <= _MOST_LISTED:
        return listed(f"{made.name} ({made.type})" for made in stack.resources)
    return listed(f"{count} x {kind}" for kind, count in Counter(made.type for made in stack.resources).items())


def _encrypted(told: Explanation) -> Iterator[str]:
    by_key: dict[str | None, list[str]] = {}
    for item in told.encryption:
        by_key.setdefault(item.key, []).append(item.resource)
    for key, names in by_key.items():
        is_one = len(names) == 1
        if key is None:
            yield f"{listed(names)} {'is' if is_one else 'are'} NOT encrypted at rest."
        else:
            more = "; whoever may read the resource may read it" if key == AWS_KEY else ""
            yield f"{listed(names)} {'is' if is_one else 'are'} encrypted at rest with {key}{more}."


def _opened(told: Explanation) -> Iterator[str]:
    has_group = any(made.type == "AWS::EC2::SecurityGroup" for stack in told.stacks for made in stack.resources)
    inwards = [item for item in told.network if not item.outwards]
    if has_group and not inwards:
        yield "Nobody may reach it over the network."
    for item in inwards:
        yield _opening(item)
    for item in told.reaches:
        yield _opening(item)
    for item in told.network:
        if item.outwards:
            yield f"{item.group} may reach {item.peer.replace(EVERYBODY, 'the whole internet')} on {item.ports}."


def _opening(item: Opening) -> str:
    why = f", {item.why}" if item.why else ""
    return f"{item.peer[:1].upper()}{item.peer[1:]} may reach {item.group} on {item.ports}{why}."


def _allowed(told: Explanation) -> Iterator[str]:
    for item in (*told.access, *told.elsewhere):
        yield _permission(item)


def _permission(item: Permission) -> str:
    joint = " " if item.actions == (TAKE_ON,) else " on "
    where = f"{joint}{listed(item.resources)}" if item.resources else ""
    condition = f", if {item.only_if}" if item.only_if else ""
    if item.who == ANYBODY:
        subject = "Nobody may" if item.denied else "Anybody may"
    else:
        subject = f"{item.who} {'may not' if item.denied else 'may'}"
    return f"{subject} {listed(item.actions)}{where}{condition}."


def _names(told: Explanation) -> Iterator[str]:
    for name in told.names:
        yield f"{name.name} leads to {name.leads_to} ({name.stage})."


def _order(told: Explanation) -> Iterator[str]:
    if told.waits_for:
        yield f"It is deployed after {listed(told.waits_for)}."
    if others := [name for name in told.uses if name not in told.waits_for]:
        yield f"It uses outputs of {listed(others)}, and waits for them."
    for action in told.actions:
        if action.task != "teardown":
            yield f"{action.task}: {action.name} ({action.kind}) {action.when}."


def _kept(told: Explanation) -> Iterator[str]:
    if told.component == APPLICATION:
        yield "It belongs to the app in its environment, and stays when a build is torn down."
    elif told.persists:
        yield "A new build goes on using the resources of the released build; the last build that uses them deletes them."
    else:
        yield "Every build makes resources of its own; tearing a build down deletes them."
    for action in told.actions:
        if action.task == "teardown":
            yield f"Before that: {action.name} ({action.kind}) {action.when}."
    for stack in told.stacks:
        for made in stack.resources:
            if made.kept:
                left = "a snapshot of it is left" if made.kept == "Snapshot" else "it is left where it is"
                yield f"When {made.name} is deleted, {left}."
    if told.keeps_key:
        yield "What is left needs the application's key; as long as it is there the key must not be deleted."


def _findings(told: Explanation) -> Iterator[str]:
    for item in told.findings:
        if item.reason:
            yield f"Accepted: {item.rule} at {item.where}: {item.message}; reason: {item.reason}."
        elif item.severity != "info":
            yield f"{item.severity.upper()}: {item.rule} at {item.where}: {item.message}."
    notes = sum(item.severity == "info" and item.reason is None for item in told.findings)
    if notes:
        yield f"{notes} {'note' if notes == 1 else 'notes'} on good practice: core component validate --all."
    if not told.findings:
        yield "No rule is broken."
