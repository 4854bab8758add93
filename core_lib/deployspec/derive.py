"""Derived definitions: a deployspec alone is enough to review a change, to apply exactly what was reviewed, and to take it down.

    plan       every CreateStack becomes a CreateChangeSet; nothing is executed
    apply      every CreateStack becomes an ApplyChangeSet of the change set that the plan made
    teardown   every CreateStack becomes a DeleteStack, dependencies the other way round

Action ids are those of the deployspec, so a review and its apply find each other. A change set is named after the content
of its action: the same definition has the same change set, a different one never does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from core_lib.execute import find_kind, segments
from core_lib.framework.models import DeploymentDetails, FileRef, PlanAction

CREATE_STACK = "AWS::CreateStack"
CREATE_CHANGE_SET = "AWS::CreateChangeSet"
APPLY_CHANGE_SET = "AWS::ApplyChangeSet"
DELETE_STACK = "AWS::DeleteStack"
GET_OUTPUTS = "AWS::GetStackOutputs"
NO_OP = "SYSTEM::NoOp"
_KEPT_FOR_DELETION = ("StackName", "RoleArn")


def review_actions(actions: Iterable[PlanAction], names: Mapping[str, str]) -> tuple[PlanAction, ...]:
    """The actions of a plan that only looks. Hooks stay quiet, and one failure does not hide the other changes."""
    quiet: dict[str, Any] = {"hooks": (), "on_failure": "continue"}
    return tuple(_reviewed(action, names, quiet) for action in actions)


def _reviewed(action: PlanAction, names: Mapping[str, str], quiet: Mapping[str, Any]) -> PlanAction:
    if action.kind == CREATE_STACK:
        spec = {**action.spec, "ChangeSetName": names[action.id]}
        return action.model_copy(update={**quiet, "kind": CREATE_CHANGE_SET, "spec": spec})
    if find_kind(action.kind).reads_only:
        return action.model_copy(update=dict(quiet))
    spec = {"Message": f"{action.kind} runs when the plan is applied"}
    return action.model_copy(update={**quiet, "kind": NO_OP, "spec": spec, "bindings": {}})


def apply_actions(actions: Iterable[PlanAction], names: Mapping[str, str]) -> tuple[PlanAction, ...]:
    """The actions that carry out what was reviewed."""
    return tuple(
        action.model_copy(update={"kind": APPLY_CHANGE_SET, "spec": {**action.spec, "ChangeSetName": names[action.id]}})
        if action.kind == CREATE_STACK
        else action
        for action in actions
    )


def teardown_actions(actions: Iterable[PlanAction]) -> tuple[PlanAction, ...]:
    """The stacks in reverse order. What is no stack becomes a joint that keeps the order, or goes when nothing hangs on it."""
    ordered = list(actions)
    dependents: dict[str, list[str]] = {action.id: [] for action in ordered}
    for action in ordered:
        for upstream in action.depends_on:
            dependents[upstream].append(action.id)
    kept = {action.id for action in ordered if action.kind == CREATE_STACK or (action.depends_on and dependents[action.id])}
    reversed_actions = [
        _torn_down(action, tuple(name for name in dependents[action.id] if name in kept))
        for action in ordered
        if action.id in kept
    ]
    places = segments(reversed_actions)
    return tuple(action.model_copy(update={"segment": places[action.id]}) for action in reversed_actions)


def _torn_down(action: PlanAction, depends_on: tuple[str, ...]) -> PlanAction:
    changes: dict[str, Any] = {
        "depends_on": depends_on,
        "condition": None,
        "bindings": {},
        "references": {},
        "save_outputs": False,
    }
    if action.kind != CREATE_STACK:
        return action.model_copy(update={**changes, "kind": NO_OP, "spec": {}, "hooks": ()})
    spec = {key: action.spec[key] for key in _KEPT_FOR_DELETION if key in action.spec}
    return action.model_copy(update={**changes, "kind": DELETE_STACK, "spec": spec})


def change_set_names(actions: Iterable[PlanAction], deployment: DeploymentDetails, files: Iterable[FileRef]) -> dict[str, str]:
    """A change set's name for every CreateStack, by action id: `core-` and 32 hex digits of its content's hash."""
    hashes = {file.path: file.sha256 for file in files}
    prn = str(deployment.prn)
    names: dict[str, str] = {}
    for action in actions:
        if action.kind == CREATE_STACK:
            used = [hashes.get(str(action.spec.get(key))) for key in ("Template", "StackPolicy")]
            content = [prn, action.id, action.spec, action.bindings, action.references, used]
            digest = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
            names[action.id] = f"core-{digest[:32]}"
    return names
