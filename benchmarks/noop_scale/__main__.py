"""What the platform itself costs: 300 accounts x 4 regions x 5 actions that do nothing, the whole flow.

A Prefect server, the embedded cloud (the ledger lives in its DynamoDB) and one flow process, as a worker starts it. Nothing is
done in AWS, so all of the time is Prefect's bookkeeping, the ledger and the engine. Bars: 90 s, 600 MB for the flow process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from core_lib.db import AppFact, ClientFact, Cmdb, PortfolioFact, ZoneFact
from core_lib.framework.models import Account, DeploymentDetails, InlineSpec, PackageDetails, Task, TaskPayload
from core_lib.framework.settings import load_settings
from deployments.local import EmbeddedCloud
from deployments.local.ports import listen, port_of

ACCOUNTS = int(os.environ.get("SCALE_ACCOUNTS", "300"))
REGIONS = ("eu-west-1", "us-east-1", "eu-central-1", "us-west-2")
ACTIONS = 5
SECONDS_BAR = 90.0
MEGABYTES_BAR = 600.0
CLIENT = "scale"


def main() -> int:
    """Measure and print; the exit code says whether the bars held."""
    with tempfile.TemporaryDirectory() as name, EmbeddedCloud() as cloud:
        folder = Path(name)
        os.environ.update(cloud.environment)
        os.environ["CORE_ARTEFACTS__LOCATION"] = str(folder / "artefacts")
        os.environ["CORE_LOG__LEVEL"] = "WARNING"
        with prefect(folder) as api:
            os.environ["CORE_PREFECT__API_URL"] = api
            register()
            (folder / "payload.json").write_text(json.dumps(payload().as_dict()))
            command = [sys.executable, "-m", "benchmarks.noop_scale.worker", str(folder / "payload.json")]
            worker = subprocess.run(command, capture_output=True, text=True, check=True)
        calls = {call.operation: call.count for call in cloud.calls("dynamodb")}
    figures = json.loads(worker.stdout.strip().splitlines()[-1])
    print(f"{ACCOUNTS} accounts x {len(REGIONS)} regions x {ACTIONS} no-op actions: {figures['state']} {figures['message']}")
    print(f"  wall {figures['seconds']:.1f} s (bar {SECONDS_BAR:.0f}), CPU of the flow process {figures['cpu_seconds']:.1f} s")
    print(f"  peak memory {figures['megabytes']:.0f} MB (bar {MEGABYTES_BAR:.0f}), DynamoDB calls {calls}")
    held = figures["state"] == "completed" and figures["seconds"] < SECONDS_BAR and figures["megabytes"] < MEGABYTES_BAR
    return 0 if held else 1


def register() -> None:
    """The client with its accounts, and an app for the payload."""
    with Cmdb(load_settings()) as cmdb:
        cmdb.create_tables(CLIENT)
        scale = cmdb.for_client(CLIENT)
        scale.registry.put(ClientFact(client=CLIENT))
        scale.registry.put(PortfolioFact(portfolio="payments"))
        scale.registry.put(AppFact(portfolio="payments", app="ledger", zone="main", region="home"))
        zone = {"Zone": "main", "RegionFacts": {"home": {"AwsRegion": REGIONS[0]}}}
        scale.registry.put(ZoneFact.model_validate(zone))
        scale.accounts.put_many(
            Account(id=f"{700000000000 + n}", name=f"team-{n:03}", organizational_unit="/workloads") for n in range(ACCOUNTS)
        )


def payload() -> TaskPayload:
    """A chain of actions that do nothing, in every account and region."""
    lines = ["Targets:", "  OrganizationalUnits: [/workloads]", f"  Regions: [{', '.join(REGIONS)}]", "Actions:"]
    for n in range(ACTIONS):
        after = f", DependsOn: [step-{n - 1}]" if n else ""
        lines.append(f"  - {{Name: step-{n}, Kind: SYSTEM::NoOp{after}}}")
    return TaskPayload(
        client=CLIENT,
        task=Task.DEPLOY,
        deployment_details=DeploymentDetails(portfolio="payments", app="ledger", branch="main", build="7"),
        package=PackageDetails(inline=InlineSpec(files={"deployspec.yaml": "\n".join(lines) + "\n"})),
    )


@contextmanager
def prefect(folder: Path) -> Iterator[str]:
    """A Prefect server with the settings of the local stack; the URL of its API."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "AWS_"))}
    environment |= {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "500",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "2",
    }
    with listen("prefect", 0) as listener:
        command = [sys.executable, "-m", "deployments.local.prefect_server", "--fd", str(listener.fileno())]
        server = subprocess.Popen(command, env=environment, pass_fds=[listener.fileno()], stderr=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port_of(listener)}/api"
        try:
            deadline = time.monotonic() + 120
            while not healthy(url):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the Prefect server did not start")
                time.sleep(0.2)
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def healthy(url: str) -> bool:
    """Whether the server answers."""
    try:
        return httpx.get(f"{url}/health", timeout=2).is_success
    except httpx.HTTPError:
        return False


if __name__ == "__main__" and (code := main()):
    sys.exit(code)
