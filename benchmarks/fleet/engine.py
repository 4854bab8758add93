"""The engine's side: a plan over the fleet, registered as a run and driven to its end."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime

from benchmarks.fleet.world import CONCURRENCY, PAUSE, STACKS, Fleet, template
from core_lib.db import ClientCmdb, Cmdb
from core_lib.execute import Engine, segments, units
from core_lib.framework.codecs import sha256_hex
from core_lib.framework.models import (
    DeploymentDetails,
    FileRef,
    Options,
    Plan,
    PlanAction,
    Provenance,
    RunState,
    RunStatus,
    Task,
    action_id,
)
from core_lib.framework.settings import Settings, load_settings
from core_lib.helper import ArtefactStore, AwsSessions, open_store

CLIENT = "bench"


def deploy_with_engine(made: Fleet) -> None:
    """Deploy the chain into every target. Tables and artefacts are made before the clock of the engine matters little."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            {
                "artefacts": {"location": folder},
                "polling": {"initial_seconds": PAUSE, "longest_seconds": PAUSE},
                "limits": {"concurrency": CONCURRENCY, "rates": {}},
            }
        )
        with Cmdb(settings) as cmdb, AwsSessions(settings, correlation_id="fleet") as sessions:
            cmdb.create_tables(CLIENT)
            store = open_store(settings, sessions)
            asyncio.run(drive(plan_of(made, store), cmdb.for_client(CLIENT), sessions, store, settings))


async def drive(plan: Plan, cmdb: ClientCmdb, sessions: AwsSessions, store: ArtefactStore, settings: Settings) -> None:
    """Register the plan as a run and see it to its end."""
    run = RunState(
        run_id=f"fleet-{plan.hash[:8]}", client=CLIENT, prn=str(plan.deployment.prn), task=Task.DEPLOY, status=RunStatus.PENDING,
        plan_hash=plan.hash, plan_key="none", options=Options(), created_at=datetime.now(UTC),
    )  # fmt: skip
    cmdb.runs.create(run)
    async with Engine(plan, cmdb, sessions, store, settings, cmdb.runs.take(run.run_id)) as engine:
        results = await asyncio.gather(*(engine.drive(unit) for unit in units(plan)))
    failed = [result for result in results if not result.ok]
    if failed:
        errors = {state.error.message for state in engine.states.values() if state.error}
        raise SystemExit(f"{len(failed)} targets failed: {sorted(errors)[:3]}")


def plan_of(made: Fleet, store: ArtefactStore) -> Plan:
    """Two chained CreateStack actions for every target."""
    files = []
    for stack in STACKS:
        body = template(stack).encode()
        files.append(FileRef(path=f"{stack}.json", key=f"artefacts/{stack}.json", sha256=sha256_hex(body), size=len(body)))
        store.put(files[-1].key, body)
    actions = []
    for target in made.targets:
        for number, stack in enumerate(STACKS):
            upstream = action_id(STACKS[number - 1], target.key) if number else None
            value = f"{{{{ outputs.{STACKS[number - 1]}.RoleArn }}}}" if number else target.account
            actions.append(
                PlanAction(
                    id=action_id(stack, target.key), name=stack, kind="AWS::CreateStack", target=target.key,
                    depends_on=(upstream,) if upstream else (), references={STACKS[number - 1]: upstream} if upstream else {},
                    spec={"StackName": stack, "Template": f"{stack}.json", "Parameters": {"Value": value}},
                )
            )  # fmt: skip
    numbers = segments(actions)
    return Plan(
        client=CLIENT,
        task=Task.DEPLOY,
        deployment=DeploymentDetails(portfolio="bench", app="fleet", branch="main", build=made.targets[0].account),
        targets=made.targets,
        actions=tuple(action.but(segment=numbers[action.id]) for action in actions),
        files=tuple(files),
        provenance=Provenance(compiler="benchmark", package_sha256="0" * 64, facts_sha256="0" * 64),
    ).sealed()
