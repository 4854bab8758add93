"""Components as Mermaid flowcharts (https://mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core_lib.component.explain.explanation import Explanation
from core_lib.component.model import Component

_UNSAFE = re.compile(r"[^A-Za-z0-9_]")
_QUOTED = str.maketrans({'"': "#quot;", "#": "#35;", "\n": " "})


class _Chart:
    """Collects nodes and edges, each once, in the order in which they come."""

    def __init__(self) -> None:
        self._lines: dict[str, None] = {}
        self._ids: dict[str, str] = {}

    def node(self, name: str, label: str | None = None, *, shape: str = "[]") -> str:
        """The id of a node; made when it is new."""
        known = self._ids.get(name)
        if known is None:
            known = self._ids[name] = f"n{len(self._ids)}_{_UNSAFE.sub('_', name)[:30]}"
            left, right = ("([", "])") if shape == "()" else ("[", "]")
            self._lines[f'  {known}{left}"{(label or name).translate(_QUOTED)}"{right}'] = None
        return known

    def edge(self, start: str, end: str, label: str = "", *, dotted: bool = False) -> None:
        """An arrow between two nodes that are there."""
        arrow = "-.->" if dotted else "-->"
        text = f'|"{label.translate(_QUOTED)}"|' if label else ""
        self._lines[f"  {start} {arrow}{text} {end}"] = None

    def __str__(self) -> str:
        return "\n".join(["flowchart LR", *self._lines])


def component_graph(told: Explanation) -> str:
    """One component: who reaches it on which port, who may do what on it, which key protects it."""
    chart = _Chart()
    centre = chart.node(told.component, f"{told.component}<br/>{told.type}")
    for stack in told.stacks:
        for made in stack.resources:
            chart.edge(centre, chart.node(made.name, f"{made.name}<br/>{made.type.removeprefix('AWS::')}"))
    for item in (*told.network, *told.reaches):
        peer, group = chart.node(item.peer, shape="()"), chart.node(item.group)
        start, end = (group, peer) if item.outwards else (peer, group)
        chart.edge(start, end, item.ports)
    for grant in (*told.access, *told.elsewhere):
        if grant.denied or not grant.resources:
            continue
        actions = ", ".join(grant.actions[:2]) + (" ..." if len(grant.actions) > 2 else "")
        for resource in grant.resources:
            chart.edge(chart.node(grant.who, shape="()"), chart.node(resource), actions)
    for protected in told.encryption:
        if protected.key:
            chart.edge(chart.node(protected.key, shape="()"), chart.node(protected.resource), "encrypts", dotted=True)
    for name in told.names:
        chart.edge(chart.node(name.name, shape="()"), chart.node(name.leads_to), "leads to")
    return str(chart)


def package_graph(components: Mapping[str, Component], uses: Mapping[str, Iterable[str]]) -> str:
    """All components of a package: what waits for what (dotted), what uses what, and who may do what on whom.

    Args:
        components: by name.
        uses: name -> owners whose outputs it takes.
    """
    chart = _Chart()
    for name, component in components.items():
        chart.node(name, f"{name}<br/>{component.written_type}")
    for name, component in components.items():
        here = chart.node(name)
        for other in component.depends_on:
            chart.edge(here, chart.node(other), "after", dotted=True)
        for other in sorted(uses.get(name, ())):
            if other in components and other != name:
                chart.edge(here, chart.node(other), "uses")
        for entry in component.entries.values():
            for grant in entry.grants:
                for source in _sources(grant.source):
                    chart.edge(chart.node(source, shape="()"), here, ", ".join(grant.allow))
    return str(chart)


def _sources(written: Any) -> list[str]:
    """The sources of a grant by the names that a reader knows them under."""
    if isinstance(written, str):
        return [written]
    if isinstance(written, (list, tuple)):
        return [name for item in written for name in _sources(item)]
    if isinstance(written, Mapping):
        return [str(next((value for value in written.values() if isinstance(value, str)), "somebody"))]
    return [str(written)]
