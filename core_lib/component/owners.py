"""Owners of outputs: how a component of this build, or of another app, is told in a Wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.framework.errors import PrnError
from core_lib.framework.models import Level, Prn, branch_short_name

_LEVELS = ("Portfolio", "App", "Branch")


@dataclass(frozen=True, slots=True)
class Address:
    """A component by name; `owner` is its name in this build, or `prn:p:a:branch:*:component` anywhere else."""

    component: str
    owner: str
    is_here: bool
    """Whether it lies in the branch that is compiled."""


def address_of(facts: Mapping[str, Any], component: str, given: Mapping[str, Any]) -> Address:
    """The component of that name in the place that Portfolio, App and Branch give; what is left out is the deployment's own.

    Raises:
        PrnError: one of the names cannot be part of a PRN.
    """
    own = (str(facts["Portfolio"]), str(facts["App"]), str(facts["BranchShortName"]))
    names = [str(given.get(level) or mine) for level, mine in zip(_LEVELS, own, strict=True)]
    names[2] = branch_short_name(names[2])
    Prn(names[0], names[1], names[2], "0", component)
    is_here = tuple(names) == own
    return Address(component, component if is_here else f"prn:{':'.join(names)}:*:{component}", is_here)


def address_in(facts: Mapping[str, Any], text: str) -> Address:
    """The component that `prn:portfolio:app:branch:build:component` names; the build (which may be `*`) does not matter.

    Raises:
        PrnError: the text is no PRN of a component.
    """
    head, _, component = text.rpartition(":")
    parts = head.split(":")
    prn = Prn.parse(f"{':'.join(parts[:-1])}:0:{component}" if len(parts) == len(_LEVELS) + 2 else text)
    if prn.level is not Level.COMPONENT or prn.component is None:
        raise PrnError("not the name of a component", where=repr(text[:80]), hint="prn:portfolio:app:branch:*:component")
    return address_of(facts, prn.component, {"Portfolio": prn.portfolio, "App": prn.app, "Branch": prn.branch})


def released(facts: Mapping[str, Any], address: Address) -> str:
    """The owner of what is released of a component, wherever it is."""
    if not address.is_here:
        return address.owner
    return f"prn:{facts['Portfolio']}:{facts['App']}:{facts['BranchShortName']}:*:{address.component}"
