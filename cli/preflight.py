"""Compiling on this machine: for `validate`, `compile`, `why`, and before anything is handed to the platform."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.connection import Connection
    from core_lib.component import Released
    from core_lib.db import Facts
    from core_lib.deployspec import Compilation
    from core_lib.framework.models import Account, Plan, TaskPayload
    from core_lib.framework.package import Package

SOON = timedelta(hours=1)


@dataclass(frozen=True)
class Inputs:
    """Everything a compile depends on; `released` only where the package holds components."""

    payload: TaskPayload
    package: Package
    facts: Facts
    accounts: tuple[Account, ...]
    released: Released | None = None

    def compile(self, *, lint: bool = True) -> Compilation:
        """The plans. Templates are checked by cfn-lint, each version once on this machine, unless `lint` is false.

        Raises:
            CompileError: the definitions cannot become a plan.
        """
        from core_lib.deployspec import Linter, compile_deployspec

        linter = Linter(cache_folder()) if lint else None
        if self.payload.type == "pipeline":
            from core_lib.component import compile_components

            return compile_components(
                self.payload, package=self.package, facts=self.facts, accounts=self.accounts, released=self.released,
                linter=linter, cache=cache_folder(),
            )  # fmt: skip
        return compile_deployspec(self.payload, package=self.package, facts=self.facts, accounts=self.accounts, linter=linter)


def cache_folder() -> Path | None:
    """Where findings and what was rendered are remembered, as by the workers on this machine; None if it cannot be."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "core" / "lint"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def gather(connection: Connection, payload: TaskPayload, package: Package, registry: Sequence[Path] | None = None) -> Inputs:
    """The inputs, with facts and accounts from the CMDB, or (without any platform) from a registry file.

    What the package holds decides the type of the payload: components, or a deployspec.
    """
    holds_components = has_components(package)
    payload = payload.but(type="pipeline") if holds_components else payload
    if registry:
        from cli.registry_file import read_registry

        book = read_registry(*registry)
        return Inputs(payload, package, book.facts(payload), book.accounts)
    client = connection.client
    facts = client.facts(payload.deployment_details, payload.facts)
    if not holds_components:
        return Inputs(payload, package, facts, tuple(client.accounts.all()))
    from core_lib.component import with_store
    from core_lib.component.lifecycle import known_of
    from core_lib.framework.models import Task

    location = connection.store.location
    if location.startswith("s3://"):
        facts = with_store(facts, location, connection.settings.home_region, connection.sessions.identity.account)
    known = known_of(client.items, payload.deployment_details, to_tear_down=payload.task is Task.TEARDOWN)
    return Inputs(payload, package, facts, tuple(client.accounts.all()), known)


def has_components(package: Package) -> bool:
    """Whether a package is one of components: it holds some, and no deployspec beside them."""
    from core_lib.component import is_component_package
    from core_lib.deployspec import SPEC_NAMES

    specs = [path for path in package.files if "/" not in path and path.partition(".")[0] in SPEC_NAMES]
    return is_component_package(package) and not specs


def freeze_note(plan: Plan, now: datetime, *, ignored: str | None = None) -> str | None:
    """A word on a freeze window that holds now, or begins within the hour; None when there is none."""
    from core_lib.framework.models import frozen_at, next_freeze

    if (held := frozen_at(plan.freeze_windows, now)) is not None:
        then = f"ignored: {ignored}" if ignored else "what changes anything is not started; --ignore-freeze REASON goes on"
        return f"{held} is on; {then}"
    coming = next_freeze(plan.freeze_windows, now, SOON)
    if coming is None:
        return None
    minutes = max(1, round((coming.begin - now).total_seconds() / 60))
    return f"in {minutes} min begins a freeze ({coming}); what has not been started by then waits for its end"


def touched(plan: Plan) -> Iterator[str]:
    """What a plan will touch, in a few lines."""
    accounts = {target.account for target in plan.targets}
    regions = sorted({target.region for target in plan.targets})
    yield (
        f"{plan.task}: {len(plan.actions):,} actions on {len(plan.targets):,} targets "
        f"({len(accounts):,} accounts, {', '.join(regions)})"
    )
    for (name, kind), count in Counter((action.name, action.kind) for action in plan.actions).items():
        yield f"  {name:<24} {kind:<24} x {count:,}"
    for wave in plan.waves:
        then = f"; then: {', '.join(wave.steps)}" if wave.steps else ""
        yield f"  wave {wave.name:<19} {len(wave.targets):,} targets{then}"
    for reason, count in Counter(item.reason for item in plan.skipped).items():
        yield f"  left out: {count:,} ({reason})"
