"""See the package."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter

from benchmarks.fleet.engine import CLIENT, drive
from benchmarks.fleet.world import ROLE, template
from core_lib.db import Cmdb
from core_lib.framework.codecs import sha256_hex
from core_lib.framework.models import DeploymentDetails, FileRef, Plan, PlanAction, Provenance, Retry, Target, Task, action_id
from core_lib.framework.settings import load_settings
from core_lib.helper import ArtefactStore, AwsSessions, open_store
from deployments.local import EmbeddedCloud

PLACES = int(os.environ.get("THROTTLE_PLACES", "3"))
STACKS = int(os.environ.get("THROTTLE_STACKS", "30"))
RATE = float(os.environ.get("THROTTLE_RATE", "4"))
BURST = 4.0
BAR = 1.25


def main() -> int:
    """Measure and print; the exit code says whether the bar held."""
    with EmbeddedCloud() as cloud, tempfile.TemporaryDirectory() as folder:
        os.environ.update(cloud.environment)
        targets = tuple(Target(account=f"{500_000_000_000 + number}", region="eu-west-1") for number in range(PLACES))
        for target in targets:
            cloud.add_role(target.account, ROLE)
        limit = {"rate": RATE, "burst": BURST, "error": {"code": "Throttling", "status": 400}}
        cloud.faults([{"match": {"service": "cloudformation"}, **limit}])
        seconds = deploy(targets, folder)
        calls = [call for call in cloud.log(5000) if call["service"] == "cloudformation"]
    answered = Counter(call["account"] for call in calls if call["fault"] is None)
    optimum = (max(answered.values()) - BURST) / RATE
    print(f"{PLACES} places x {STACKS} stacks, {RATE:g} CloudFormation calls per second and place")
    print(f"  {len(calls)} calls, {len(calls) - answered.total()} refused; optimum {optimum:.1f} s, engine {seconds:.1f} s")
    print(f"engine / throttle-limited optimum: {seconds / optimum:.2f} (bar {BAR})")
    return 0 if seconds / optimum <= BAR else 1


def deploy(targets: tuple[Target, ...], folder: str) -> float:
    """Seconds that the engine takes."""
    polling = {"initial_seconds": 0.5, "longest_seconds": 2.0}
    limits = {"concurrency": 100, "account_concurrency": STACKS, "region_concurrency": 100}
    settings = load_settings({"artefacts": {"location": folder}, "polling": polling, "limits": limits})
    with Cmdb(settings) as cmdb, AwsSessions(settings, correlation_id="throttle") as sessions:
        cmdb.create_tables(CLIENT)
        store = open_store(settings, sessions)
        plan = plan_of(targets, store)
        started = time.monotonic()
        asyncio.run(drive(plan, cmdb.for_client(CLIENT), sessions, store, settings))
        return time.monotonic() - started


def plan_of(targets: tuple[Target, ...], store: ArtefactStore) -> Plan:
    """Stacks that do not wait for each other, in every target."""
    names = [f"s{number:02}" for number in range(STACKS)]
    files = []
    for name in names:
        body = template(name).encode()
        files.append(FileRef(path=f"{name}.json", key=f"artefacts/{name}.json", sha256=sha256_hex(body), size=len(body)))
        store.put(files[-1].key, body)
    actions = tuple(
        PlanAction(
            id=action_id(name, target.key), name=name, kind="AWS::CreateStack", target=target.key, retry=Retry(attempts=20),
            spec={"StackName": name, "Template": f"{name}.json", "Parameters": {"Value": "x"}},
        )
        for target in targets
        for name in names
    )  # fmt: skip
    return Plan(
        client=CLIENT,
        task=Task.DEPLOY,
        deployment=DeploymentDetails(portfolio="bench", app="throttle", branch="main", build="1"),
        targets=targets,
        actions=actions,
        files=tuple(files),
        provenance=Provenance(compiler="benchmark", package_sha256="0" * 64, facts_sha256="0" * 64),
    ).sealed()


if __name__ == "__main__" and (code := main()):
    sys.exit(code)
