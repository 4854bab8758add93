"""The compiler: payload + facts + package in, plans out. Pure: same inputs, same bytes, on any machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from core_lib.component.building import Builder, Built
from core_lib.component.checking import check
from core_lib.component.definitions import read_definitions
from core_lib.component.files import user_files
from core_lib.component.library import Catalogue, builtin_catalogue
from core_lib.component.model import APPLICATION, Released
from core_lib.component.plans import Blueprint, make_plans, targets_of
from core_lib.component.templates import Memory
from core_lib.db import Facts
from core_lib.deployspec import Compilation, CompileWarning, Linter, without_collection
from core_lib.framework.codecs import sha256_hex, to_json
from core_lib.framework.errors import PayloadError
from core_lib.framework.models import Account, TaskPayload
from core_lib.framework.package import Package

_LINTER = Linter()


def build_components(
    package: Package, facts: Facts, released: Released, catalogue: Catalogue | None = None, memory: Memory | None = None
) -> Built:
    """All components of a package with their finished templates, for the deployment that the facts are of.

    With a `memory`, what has not changed since is not rendered again.

    Raises:
        CoreError: something cannot be compiled; says what and where.
    """
    known = catalogue or builtin_catalogue()
    definitions = read_definitions(package, facts.values, known)
    return Builder(definitions, facts, package, released, memory).build()


@without_collection()
def compile_components(
    payload: TaskPayload,
    *,
    package: Package,
    facts: Facts,
    accounts: Sequence[Account],
    released: Released | None = None,
    linter: Linter | None = _LINTER,
    cache: Path | None = None,
) -> Compilation:
    """Compile the components of a package into plans for deploy, release and teardown, and for plan and apply.

    Args:
        payload: whose deployment details count.
        package: the files.
        facts: the deployment's merged facts.
        accounts: the organization's accounts.
        released: the released build of the branch, and what this build uses of it.
        linter: checks the templates; one with a cache folder spares loading cfn-lint. None = templates are not linted.
        cache: a folder in which what was rendered is remembered, so that unchanged components are not rendered again.

    Raises:
        CoreError: something cannot be compiled; says what and where.
    """
    _must_be_a_build(payload)
    known = released or Released()
    target, key_target = targets_of(facts.values, accounts, payload.targets)
    built = build_components(package, facts, known, memory=None if cache is None else Memory(_page_of(cache, payload)))
    warnings = [*check(built, facts, package, target.region, linter), *_left_out(known, built), *_unfinished(known)]
    application = built.components.get(APPLICATION)
    blueprint = Blueprint(
        payload.deployment_details,
        facts,
        target,
        key_target,
        {name: each for name, each in built.components.items() if name != APPLICATION},
        application.stages if application is not None else {},
        known.build,
        known.unfinished,
    )
    sources = sorted({each.component.locate(()).partition(":")[0] for each in blueprint.components.values()})
    plans, files = make_plans(blueprint, payload.client, package_sha256=package.sha256, sources=sources)
    prefix = facts.values.get("BuildFilesPrefix")
    files |= user_files(package, payload.deployment_details, built.copies, None if prefix is None else str(prefix))
    return Compilation(plans, files, tuple(sorted({*built.warnings, *warnings})))


def _page_of(cache: Path, payload: TaskPayload) -> Path:
    """The file with the memory of a branch."""
    details = payload.deployment_details
    branch = [payload.client, details.portfolio, details.app, details.branch_short]
    return cache / f"components-{sha256_hex(to_json(branch))[:32]}.json"


def _must_be_a_build(payload: TaskPayload) -> None:
    details = payload.deployment_details
    if details.build is None or details.component is not None:
        raise PayloadError(
            "components are deployed as a build, all of them",
            where=str(payload.prn),
            hint="name it: prn:portfolio:app:branch:build",
        )


def _left_out(known: Released, built: Built) -> Iterator[CompileWarning]:
    """Components that the build was deployed with, and that the package no longer has: nothing here would delete them."""
    for name in sorted(known.deployed - built.components.keys()):
        yield CompileWarning(
            "platform/components", f"{name!r} was deployed with this build and is no longer there: its stacks stay as they are"
        )


def _unfinished(known: Released) -> Iterator[CompileWarning]:
    """Builds for which a teardown leaves what is shared."""
    for prn in known.unfinished:
        yield CompileWarning(
            str(prn), "this build did not come to an end: what it shares with others stays, until it is deployed or torn down"
        )
