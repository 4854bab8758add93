"""The process worker: `python -m deployments.local.prefect_worker --pool core --name NAME ...`.

It is started together with the server and waits for it, so that both load Prefect at the same time. One Python start for
three things: it makes the work pool and the global concurrency limits, registers every deployment
of `prefect.yaml` in the working directory, and then serves them. It writes its pid into the ready file when it polls.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import yaml
from prefect.cli import app as prefect_command
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectAlreadyExists
from prefect.workers.process import ProcessWorker

from deployments.local.health import healthy


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="prefect_worker", description="Register the deployments and serve them.")
    parser.add_argument("--pool", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--ready", type=Path, required=True)
    parser.add_argument("--server", required=True, help="health URL of the Prefect server")
    parser.add_argument("--workdir", type=Path, required=True, help="folder in which flow runs are started")
    parser.add_argument("--limit", type=int)
    return parser.parse_args()


async def prepare(pool: str, project: Path, workdir: Path) -> None:
    """Make the work pool, and the global concurrency limits that `prefect.yaml` names under `definitions.limits`.

    Flow runs start in `workdir`, so that they find the user's `core.toml` as the CLI does.
    """
    template = ProcessWorker.get_default_base_job_template()
    template["variables"]["properties"]["working_dir"]["default"] = str(workdir)
    async with get_client() as client:
        try:
            await client.create_work_pool(WorkPoolCreate(name=pool, type="process", base_job_template=template))
        except ObjectAlreadyExists:
            await client.update_work_pool(pool, WorkPoolUpdate(base_job_template=template))
        for name, limit in _limits(project).items():
            await client.upsert_global_concurrency_limit_by_name(name, limit)


def deploy(project: Path) -> int:
    """Register every deployment of `prefect.yaml`; the exit code of Prefect's own command, run in this process."""
    if not (project / "prefect.yaml").exists():
        return 0
    sys.argv = ["prefect", "--no-prompt", "deploy", "--all"]
    try:
        prefect_command()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def await_server(url: str) -> None:
    """Wait until the server answers (a supervisor that gives up ends this process)."""
    while not healthy(url):
        time.sleep(0.1)


async def work(arguments: argparse.Namespace) -> None:
    """Serve flow runs until SIGINT or SIGTERM."""
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)

    def started(message: str) -> None:
        print(message, flush=True)
        arguments.ready.write_text(str(os.getpid()))

    worker = ProcessWorker(work_pool_name=arguments.pool, name=arguments.name, limit=arguments.limit)
    await worker.start(printer=started)


def main() -> int:
    """Prepare, deploy, serve; the exit code."""
    arguments = _arguments()
    project = Path.cwd()
    await_server(arguments.server)
    asyncio.run(prepare(arguments.pool, project, arguments.workdir))
    code = deploy(project)
    if code != 0:
        return code
    try:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(work(arguments))
    finally:
        arguments.ready.unlink(missing_ok=True)
    return 0


def _limits(project: Path) -> dict[str, int]:
    try:
        document = yaml.safe_load((project / "prefect.yaml").read_text())
    except FileNotFoundError:
        return {}
    limits = ((document or {}).get("definitions") or {}).get("limits") or {}
    return {str(name): int(limit) for name, limit in limits.items()}


if __name__ == "__main__":
    sys.exit(main())
