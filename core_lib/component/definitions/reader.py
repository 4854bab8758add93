"""The reading of a package: types, vars, components, in this order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core_lib.component.definitions.components import ComponentReader
from core_lib.component.definitions.entries import EntryReader
from core_lib.component.definitions.faults import Faults
from core_lib.component.definitions.keys import kind_of, shown
from core_lib.component.definitions.order import check_order
from core_lib.component.definitions.properties import PropertyCheck
from core_lib.component.definitions.sources import Budget, Draft, Source
from core_lib.component.definitions.variables import merged_variables
from core_lib.component.library import Catalogue
from core_lib.component.model import Component, Definitions
from core_lib.framework.errors import GraphError, PackageError, SchemaError
from core_lib.framework.package import Package
from core_lib.renderer import ReadFile, full_context, session

ROOTS = ("platform/", "")
"""Where the folders may lie: as in a repository, and as in the archives of the reference system."""

ALIASES = ("facts", "context", "core")
"""Names that the facts as a whole have in expressions."""

MOST_COMPONENTS = 10_000
_SUFFIXES = (".yaml", ".yml", ".json")
_ENFORCED = {"true": True, "yes": True, "false": False, "no": False, "warn": False}


def read_definitions(package: Package, facts: Mapping[str, Any], catalogue: Catalogue) -> Definitions:
    """Everything that the package defines, rendered with the facts and checked; `catalogue` is extended by its own types.

    Raises:
        PackageError: there are no components.
        CodecError, RenderError: a file that cannot be read or rendered.
        SchemaError, GraphError, CompileError: what is written does not hold; one error tells all faults, each with its place.
    """
    known = with_own_types(catalogue, package)
    variables, sources = _rendered(package, facts)
    faults = Faults(package.origin)
    check = PropertyCheck(enforced=is_enforced(facts))
    reader = ComponentReader(known, faults, EntryReader(check))
    places = _places(sources, faults)
    components: dict[str, Component] = {}
    for name in sorted(places):
        source = places[name]
        component = reader.read(name, source.data[name], source)
        if component is not None:
            components[name] = component
    check_order(components, frozenset(places), faults)
    faults.tell()
    return Definitions(components, variables, known, tuple(sorted(check.warnings)))


def is_enforced(facts: Mapping[str, Any]) -> bool:
    """Whether the fact EnforceValidation (true, false or warn; true when not there) lets faulty properties fail the compile.

    Raises:
        SchemaError: it is none of these.
    """
    value = facts.get("EnforceValidation")
    if value is None or isinstance(value, bool):
        return value is not False
    found = _ENFORCED.get(str(value).lower())
    if found is None:
        raise SchemaError(f"the fact EnforceValidation is {shown(value)}: true, false or warn", where="facts")
    return found


def with_own_types(catalogue: Catalogue, package: Package) -> Catalogue:
    """The catalogue with the types that the package brings in `platform/types`."""
    for root in ROOTS:
        folder = f"{root}types/"
        files = {path[len(folder) :]: body for path, body in package.files.items() if path.startswith(folder)}
        if files:
            catalogue = catalogue.extended(files, folder.rstrip("/"))
    return catalogue


def _rendered(package: Package, facts: Mapping[str, Any]) -> tuple[dict[str, Any], list[Source]]:
    """The merged vars, and the files of components. All expressions of a package share one budget."""
    budget = Budget()
    variables = [Draft(package.files[path], path, budget) for path in _paths(package, "vars")]
    drafts = [Draft(package.files[path], path, budget) for path in _paths(package, "components")]
    if not drafts:
        raise PackageError(
            "there are no components in the package",
            where=package.origin,
            hint="write them into platform/components/<name>.yaml",
        )
    names = {**dict.fromkeys(ALIASES, facts), **facts}
    branch = facts.get("Branch")
    with session(reading(package)):
        made = [draft.rendered(full_context(names)) for draft in variables]
        merged = merged_variables([finish() for finish in made], None if branch is None else str(branch))
        context = full_context({**names, "vars": merged})
        finishes = [draft.rendered(context) for draft in drafts]
    return merged, [finish() for finish in finishes]


def _paths(package: Package, folder: str) -> Iterator[str]:
    """The YAML and JSON files below a folder, in path order; other files there (a README) are left alone."""
    for path in package.files:
        if any(path.startswith(f"{root}{folder}/") for root in ROOTS) and path.endswith(_SUFFIXES):
            yield path


def reading(package: Package) -> ReadFile:
    """How the filter `read_file` finds a file: by its path in the package, or in its folders `platform` and `platform/files`.

    A path that begins with `platform/` is found in packages without that folder too.
    """

    def read(path: str) -> str:
        bare = path.removeprefix("platform/")
        for found in (path, f"platform/{path}", f"platform/files/{path}", f"files/{path}", bare):
            if found in package.files:
                return package.text(found)
        return package.text(path)

    return read


def _places(sources: list[Source], faults: Faults) -> dict[str, Source]:
    """The file of every component. A name that is written twice is a fault."""
    places: dict[str, Source] = {}
    folded: dict[str, str] = {}
    for source in sources:
        if source.data is None:
            continue
        if not isinstance(source.data, Mapping):
            message = f"a file of components is a map of names to components, not {kind_of(source.data)}"
            faults.add(source.locate(()), message)
            continue
        for name in source.data:
            other = folded.setdefault(name.lower(), name)
            if name not in places and other == name:
                places[name] = source
                continue
            how = "is there twice" if other == name else f"and {shown(other)} are the same name: capitals do not count"
            first = f"the other one: {places[other].locate((other,))}"
            faults.add(source.locate((name,)), f"the component {shown(name)} {how}", first, GraphError)
        if len(places) > MOST_COMPONENTS:
            raise PackageError(f"more than {MOST_COMPONENTS} components", where=source.path)
    if not places and not faults:
        faults.add(sources[0].locate(()), "there are no components in the package", None, PackageError)
    return places
