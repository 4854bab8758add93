"""Wires in trees: a value known at run time stands as plain data, because trees pass through the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core_lib.component.model import Wire

WIRE = "Fn::Pipeline::Wire"


def wired(wire: Wire) -> dict[str, Any]:
    """The wire as it stands in a tree."""
    return {WIRE: [wire.owner, wire.stage, wire.output]}


def wire_of(value: Any) -> Wire | None:
    """The wire that a value of a tree stands for; None when it is something else."""
    if isinstance(value, Mapping) and len(value) == 1 and isinstance(value.get(WIRE), (list, tuple)):
        owner, stage, output = value[WIRE]
        return Wire(owner, stage, output)
    return None


def wires_in(tree: Any) -> Iterator[Wire]:
    """Every wire of a tree, in the order of the tree."""
    wire = wire_of(tree)
    if wire is not None:
        yield wire
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from wires_in(value)
    elif isinstance(tree, (list, tuple)):
        for value in tree:
            yield from wires_in(value)
