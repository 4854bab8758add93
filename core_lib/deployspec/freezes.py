"""Freeze windows of a deployment, from the facts of client, zone, portfolio and app.

Windows add up: a later layer, or a fact of the payload, cannot take one away. Who has to go on in spite of one says so in
`Options.IgnoreFreeze`, which leaves a trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from core_lib.db import Facts
from core_lib.framework.errors import SchemaError
from core_lib.framework.models import FreezeWindow

FACT = "FreezeWindows"


def freeze_windows(facts: Facts) -> tuple[FreezeWindow, ...]:
    """The windows that hold for the deployment's environment, in a stable order.

    Raises:
        SchemaError: a window that cannot be read; names the layer it comes from.
    """
    environment = facts.values.get("Environment")
    found: dict[str, FreezeWindow] = {}
    for layer, entry in _written(facts):
        window = _read(layer, entry)
        if not window.environments or environment in window.environments:
            found[window.model_dump_json()] = window
    return tuple(window for _, window in sorted(found.items()))


def _written(facts: Facts) -> Iterator[tuple[str, Any]]:
    """Every window of every layer, also of those that a later one replaces."""
    if FACT not in facts.values:
        return
    origin = facts.origins.get((FACT,))
    layers = [("facts", facts.values[FACT])]
    if origin is not None:
        layers = [(" + ".join(origin.layers), origin.value), *((source.layer, source.value) for source in origin.hidden)]
    for layer, entries in layers:
        if not isinstance(entries, list):
            raise SchemaError(f"the fact {FACT} is a list of windows", where=layer)
        yield from ((layer, entry) for entry in entries)


def _read(layer: str, entry: Any) -> FreezeWindow:
    try:
        return FreezeWindow.model_validate(entry)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in fault["loc"])
        message = str(fault["msg"]).removeprefix("Value error, ")
        name = entry.get("Name") if isinstance(entry, dict) else None
        raise SchemaError(
            f"freeze window{f' {name!r}' if name else ''}: {f'{place}: ' if place else ''}{message}",
            where=f"{layer}: {FACT}",
            hint="{Name, From, Until, Reason}, or {Name, Days, From, Until, TimeZone, Reason} every week",
        ) from None
