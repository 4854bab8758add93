"""Outputs of other components: which there are, and the wire that stands for one."""

from __future__ import annotations

from typing import Any

from core_lib.component.functions.function import Call
from core_lib.component.model import Component, Wire
from core_lib.component.owners import Address, address_of, released
from core_lib.component.wires import wired
from core_lib.framework.errors import PrnError, ReferenceFault

BUILD, RELEASE = "build", "release"
ANY = "*"
"""A type with this output has more than it lists."""
_KEY = "${Key}"


def outputs_of(component: Component) -> list[str]:
    """The names of a component's outputs, as its type documents them; `${Key}` stands for the keys that are written."""
    names: list[str] = []
    for name in component.type.file.outputs:
        names += [name.replace(_KEY, key) for key in component.entries] if _KEY in name else [name]
    return [name for name in names if name != ANY]


def address(call: Call) -> Address:
    """The component that a call names by Component, and by Portfolio, App and Branch if it is another app's.

    Raises:
        ReferenceFault: it should be in this package, and is not.
        SchemaError: a name cannot be part of a PRN.
    """
    name = call.text("Component")
    given = {level: call.text(level) for level in ("Portfolio", "App", "Branch") if level in call}
    try:
        found = address_of(call.facts, name, given)
    except PrnError as error:
        raise call.fault(error.message, "Component", hint=error.hint) from error
    if found.is_here:
        call.other(name)
    return found


def check_output(call: Call, component: Component, output: str) -> None:
    """Refuse an output that the component's type does not document.

    Raises:
        ReferenceFault: names the nearest.
    """
    if ANY not in component.type.file.outputs and output not in outputs_of(component):
        what = f"output of {component.name} ({component.written_type})"
        raise call.unknown("OutputName", what, output, outputs_of(component), kind=ReferenceFault)


def built(call: Call, component: str, output: str) -> dict[str, Any]:
    """An output of a component of this build, which must be there first."""
    if component != call.component.name:
        call.gathered.depends_on[component] = None
    return wired(Wire(component, "resources", output))


def of_release(call: Call, found: Address, output: str) -> dict[str, Any]:
    """An output of what is released of a component."""
    return wired(Wire(released(call.facts, found), "release", output))
