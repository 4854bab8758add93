"""The outputs of a run as files that other programs read: YAML, JSON, and shell variables that are safe to source."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from core_lib.framework.codecs import dump_yaml
from core_lib.framework.errors import ActionFailedError
from core_lib.framework.models import ActionState, ActionStatus


def gather(states: Mapping[str, ActionState], *, by_target: bool, only: Collection[str] = ()) -> dict[str, Any]:
    """Outputs of all succeeded actions (or `only` of those of these names) by name, sorted; `by_target` puts them below
    `account/region`."""
    found: dict[str, Any] = {}
    for identity, state in sorted(states.items()):
        name, _, target = identity.partition("@")
        if state.status is ActionStatus.SUCCEEDED and state.outputs and (not only or name in only):
            place = found.setdefault(target, {}) if by_target else found
            place[name] = dict(state.outputs)
    return found


def as_json(outputs: Mapping[str, Any]) -> str:
    """JSON, sorted."""
    return json.dumps(outputs, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def as_shell(outputs: Mapping[str, Any]) -> str:
    """One `export` per value: `network.VpcId` is NETWORK_VPCID. Lists and maps are JSON; nothing in a value is ever executed.

    Raises:
        ActionFailedError: two values would have the same name.
    """
    lines: dict[str, str] = {}
    for path, value in _leaves(outputs):
        name = _variable(path)
        if name in lines:
            raise ActionFailedError(
                f"two outputs would both be the shell variable {name}: one of them is {'.'.join(path)}",
                hint="rename an action, or leave sh out of Formats",
            )
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        lines[name] = f"export {name}={shlex.quote(text)}"
    return "".join(f"{line}\n" for line in lines.values())


def _leaves(outputs: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every output with its path; those of all targets lie below `account/region`."""
    for name, members in outputs.items():
        if "/" in name:
            yield from (((name, *path), value) for path, value in _leaves(members))
        else:
            yield from (((name, output), value) for output, value in members.items())


def _variable(path: tuple[str, ...]) -> str:
    name = re.sub(r"[^A-Z0-9_]", "_", "_".join(path).upper())
    return f"_{name}" if name[:1].isdigit() else name


WRITERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {"yaml": dump_yaml, "json": as_json, "sh": as_shell}
