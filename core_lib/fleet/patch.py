"""Accepting drift: a patch that makes the template say what the world says.

Only what a template says literally can be patched. A property that is computed (from a parameter, say), a value that is too long
or secret to be kept, and values that differ between stacks of one template are told instead, with the reason.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core_lib.db import ClientCmdb, DriftRecord, StackRecord
from core_lib.framework.codecs import edit_yaml
from core_lib.framework.errors import CodecError
from core_lib.framework.models import FileRef, PropertyDrift, ResourceDrift
from core_lib.framework.redaction import MASK
from core_lib.helper import ArtefactStore
from core_lib.report import group_id


@dataclass(frozen=True)
class Patch:
    """A unified diff against the package (for `git apply` or `patch -p1`), and what it could not say, with reasons."""

    text: str
    files: tuple[str, ...]
    left: tuple[str, ...]


@dataclass
class _Template:
    """One template and what has to change in it: values by (logical id, path), with the stacks that have them."""

    file: FileRef
    changes: dict[tuple[str, str], dict[str, list[str]]] = field(default_factory=dict)
    drifts: dict[tuple[str, str], PropertyDrift] = field(default_factory=dict)

    def add(self, logical_id: str, drift: PropertyDrift, stack: str) -> None:
        place = (logical_id, drift.path)
        self.changes.setdefault(place, {}).setdefault(f"{drift.kind} {drift.actual}", []).append(stack)
        self.drifts[place] = drift


class NotLiteralError(Exception):
    """The template does not say that property literally."""


def accept_patch(cmdb: ClientCmdb, store: ArtefactStore, group: str, records: Sequence[DriftRecord]) -> Patch:
    """The patch for one group of drift over these stacks. Templates come from the artefacts that were deployed.

    Raises:
        ArtefactError: a template is no longer in the store.
    """
    templates: dict[str, _Template] = {}
    left: list[str] = []
    deployed: dict[str, Mapping[str, StackRecord]] = {}
    for record in records:
        if record.target not in deployed:
            deployed[record.target] = cmdb.stacks.get_many(record.target)
        stack = deployed[record.target].get(record.stack_name)
        for resource in record.resources:
            if group_id(resource) == group:
                _collect(templates, left, resource, stack, record.key)
    texts = [_patched(template, store.get(template.file.key).decode("utf-8"), left) for template in templates.values()]
    files = tuple(template.file.path for template, text in zip(templates.values(), texts, strict=True) if text)
    return Patch("".join(texts), files, tuple(dict.fromkeys(left)))


def _collect(
    templates: dict[str, _Template], left: list[str], resource: ResourceDrift, stack: StackRecord | None, key: str
) -> None:
    name = f"{resource.stack}.{resource.logical_id}" if resource.stack else resource.logical_id
    if resource.status == "DELETED":
        left.append(f"{name} was deleted: remove it from the template, or revert")
    elif resource.stack:
        left.append(f"{name} is in a nested stack, whose template is not among the artefacts")
    elif stack is None or stack.template is None:
        left.append(f"{key}: nobody remembers which template it was deployed with; deploy it once more")
    else:
        template = templates.setdefault(stack.template.key, _Template(stack.template))
        for drift in resource.properties:
            template.add(resource.logical_id, drift, key)


def _patched(template: _Template, text: str, left: list[str]) -> str:
    """The diff for one template; '' when nothing in it can be patched."""
    edited = text
    for place, values in template.changes.items():
        logical_id, path = place
        if len(values) > 1:
            left.append(f"{logical_id}{path} differs between stacks ({len(values)} values): make it a parameter")
            continue
        try:
            edited = edit_yaml(edited, _change(logical_id, template.drifts[place]), template.file.path)
        except (NotLiteralError, CodecError) as reason:
            left.append(f"{logical_id}{path}: {reason}")
    before, after = text.splitlines(keepends=True), edited.splitlines(keepends=True)
    return "".join(difflib.unified_diff(before, after, f"a/{template.file.path}", f"b/{template.file.path}"))


def _change(logical_id: str, drift: PropertyDrift) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        holder, last = _place(document, logical_id, drift.path)
        there = holder.get(last) if isinstance(holder, Mapping) else (holder[last] if last < len(holder) else None)
        if _computed(there):
            raise NotLiteralError("the template computes it: change what it is computed from")
        if drift.kind == "REMOVE":
            del holder[last]
            return
        value = _value(drift, there)
        if isinstance(holder, list) and last >= len(holder):
            holder.append(value)
        else:
            holder[last] = value

    return change


def _place(document: Any, logical_id: str, path: str) -> tuple[Any, Any]:
    """The map or list that holds a property, and its key there."""
    try:
        holder = document["Resources"][logical_id].setdefault("Properties", {})
        *steps, last = (part.replace("~1", "/").replace("~0", "~") for part in path.strip("/").split("/"))
        for step in steps:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
            if _computed(holder):
                raise NotLiteralError("the template computes it: change what it is computed from")
        return holder, int(last) if isinstance(holder, list) else last
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise NotLiteralError("the template does not say it at that place") from error


def _value(drift: PropertyDrift, there: Any) -> Any:
    """What the world says, in the type in which the template says it."""
    text = drift.actual
    if text is None or MASK in text:
        raise NotLiteralError("its value is not kept, because it may be a secret")
    if text.endswith("..."):
        raise NotLiteralError("its value is too long to be kept: look it up in the account")
    if isinstance(there, str) or (there is None and not text.startswith(("{", "["))):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _computed(value: Any) -> bool:
    """Whether a value is an intrinsic function, in its short or long form."""
    tag = getattr(value, "tag", None)
    if tag is not None and str(getattr(tag, "value", tag) or "").startswith("!"):
        return True
    keys: Iterable[Any] = value if isinstance(value, Mapping) else ()
    return any(str(key) == "Ref" or str(key).startswith("Fn::") for key in keys)
