"""Order: what DependsOn says, checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter

from core_lib.component.definitions.faults import MOST_TOLD, Faults
from core_lib.component.definitions.keys import shown
from core_lib.component.model import Component
from core_lib.framework.codecs import nearest
from core_lib.framework.errors import GraphError


def check_order(components: Mapping[str, Component], names: frozenset[str], faults: Faults) -> None:
    """Tell of names in DependsOn that nobody has (`names` are all that are written), and of a ring of components that wait for
    each other."""
    unknown = 0
    for component in components.values():
        for index, wanted in enumerate(component.depends_on):
            if wanted not in names:
                unknown += 1
                _unknown(component, index, names if unknown <= MOST_TOLD else (), faults)
    graph = {name: [wanted for wanted in component.depends_on if wanted in components] for name, component in components.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring: list[str] = error.args[1]
        first = components[ring[0]]
        how = "waits for itself" if len(ring) == 2 else f"components wait for each other: {_told(ring)}"
        faults.add(first.locate(("DependsOn",)), f"{first.name}: {how}", "take one DependsOn out of the ring", GraphError)


def _unknown(component: Component, index: int, advice: Collection[str], faults: Faults) -> None:
    wanted = component.depends_on[index]
    close = nearest(wanted, advice)
    faults.add(
        component.locate(("DependsOn", index)),
        f"{component.name}: DependsOn names {shown(wanted)}, which is no component of the package",
        f"did you mean {close}?" if close else None,
        GraphError,
    )


def _told(ring: list[str]) -> str:
    """The ring from the one that comes first by name, in the direction of the waiting."""
    names = list(reversed(ring[:-1]))
    start = names.index(min(names))
    turned = [*names[start:], *names[:start]]
    listed = [*turned[:10], "...", turned[-1]] if len(turned) > 12 else turned
    return " -> ".join([*listed, turned[0]])
