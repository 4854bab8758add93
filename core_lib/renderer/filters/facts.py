"""Filters that read the facts of the deployment, or files of its package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from core_lib.framework.errors import RenderError
from core_lib.framework.models import LEVELS
from core_lib.renderer.plain import as_text
from core_lib.renderer.session import current
from core_lib.renderer.undefined import explain

_STEP = re.compile(r"""(?:^|\.)(?P<key>[^.\[\]]+)|\[(?P<index>-?\d{1,6})\]|\[(?P<quote>["'])(?P<quoted>.*?)(?P=quote)\]""")
_MISSING = object()
_TAG_OF_LEVEL = dict(zip(LEVELS, ("Portfolio", "App", "Branch", "Build", "Component"), strict=True))
_SCOPES = ("environment", *LEVELS)


def _fact(context: Context, name: str) -> Any:
    """A fact by name: at the top of the context, else under `core`."""
    core = context.get("core")
    return context.get(name, core.get(name) if isinstance(core, Mapping) else None)


def aws_tags(value: Any) -> list[dict[str, str]]:
    """A map as AWS's list of Key and Value, in the order of the map."""
    if not isinstance(value, Mapping):
        raise RenderError(f"aws_tags takes a map, not a value of type {type(value).__name__}")
    return [{"Key": str(key), "Value": as_text(item)} for key, item in value.items()]


@pass_context
def tags(context: Context, value: Any = None, scope: str = "build") -> dict[str, str]:
    """Standard tags up to a scope (environment, portfolio, app, ... component); the facts' Tags and `value` over them."""
    if scope not in _SCOPES:
        raise RenderError(f"unknown scope {str(scope)[:40]!r}", hint=f"one of {', '.join(_SCOPES)}")
    names = ["Environment", *(_TAG_OF_LEVEL[level] for level in LEVELS[: _SCOPES.index(scope)])]
    result = {name: as_text(fact) for name in names if (fact := _fact(context, name)) is not None}
    for more in (_fact(context, "Tags"), value):
        if isinstance(more, Mapping):
            result |= {str(key): as_text(item) for key, item in more.items()}
        elif more is not None:
            raise RenderError(f"tags takes a map, not a value of type {type(more).__name__}")
    return result


@pass_context
def lookup(context: Context, value: Any, default: Any = _MISSING) -> Any:
    """The fact at a path: `"VpcAliases.main.Id" | lookup`, `"Subnets[0]"`, `'Tags["a.b"]'`; `default` if there is none."""
    path = as_text(value)
    steps = _steps(path)
    found: Any = context.get_all()
    for position, step in enumerate(steps):
        try:
            found = found[step]
        except (LookupError, TypeError) as error:
            if default is not _MISSING:
                return default
            known = found if isinstance(found, Mapping) else {}
            message, hint = explain(str(step), None if position == 0 else found, (str(key) for key in known))
            raise RenderError(f"lookup of {path[:80]!r}: {message}", hint=hint) from error
    return found


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise RenderError(f"{path[:80]!r} is not a path", hint="e.g. a.b, a[0].b, a['key.with.dots']")
        steps.append(int(match["index"]) if match["index"] else match["key"] or match["quoted"])
        position = match.end()
    return steps


@pass_context
def output_name(context: Context, value: Any, output: str, scope: str = "build") -> str:
    """Export name of another component's output: `"queue" | output_name("TopicArn")` -> `portfolio-app-branch-7-queue:TopicArn`.

    With scope `branch` the build is left out, for what outlives builds.
    """
    if scope not in ("build", "branch"):
        raise RenderError(f"unknown scope {str(scope)[:40]!r}", hint="one of build, branch")
    names = ["Portfolio", "App", "BranchShortName", *(["Build"] if scope == "build" else [])]
    parts = []
    for name in names:
        fact = _fact(context, name)
        if fact is None:
            raise RenderError(f"output_name needs the fact {name}, which is not known here")
        parts.append(as_text(fact))
    return f"{'-'.join((*parts, as_text(value)))}:{as_text(output)}"


@pass_context
def read_file(_context: Context, value: Any) -> str:
    """The text of a file of the package, by its path there."""
    files = current().files
    if files is None:
        raise RenderError("read_file is not available here, there is no package")
    return files(as_text(value))
