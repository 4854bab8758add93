"""The compiler: payload + facts + package in, plans out. Pure: same inputs, same bytes, on any machine."""

from __future__ import annotations

from core_lib.component.building import Builder, Built
from core_lib.component.definitions import read_definitions
from core_lib.component.library import Catalogue, builtin_catalogue
from core_lib.component.model import Released
from core_lib.db import Facts
from core_lib.framework.package import Package


def build_components(package: Package, facts: Facts, released: Released, catalogue: Catalogue | None = None) -> Built:
    """All components of a package with their finished templates, for the deployment that the facts are of.

    Raises:
        CoreError: something cannot be compiled; says what and where.
    """
    known = catalogue or builtin_catalogue()
    definitions = read_definitions(package, facts.values, known)
    return Builder(definitions, facts, package, released).build()
