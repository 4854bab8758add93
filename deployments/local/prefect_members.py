"""Prefect's part of the stack: the server with its UI, and one process worker."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from deployments.local.members import PROJECT_ROOT, Member
from deployments.local.options import UpOptions
from deployments.local.ports import port_of
from deployments.local.state import StateFolder

WORK_POOL = "core"
# Measured: the server records task runs 3-5 times faster with larger batches.
_SERVER_SETTINGS = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "500",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "2",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "true",
    "PREFECT_UI_API_URL": "/api",
}
_LEFT_OUT = ("PREFECT_", "AWS_ENDPOINT_URL", "CORE_STACK_")


def client_settings(server: socket.socket, folder: StateFolder, options: UpOptions) -> dict[str, str]:
    """What a Prefect client needs to reach this server, whatever the user's own profile says."""
    settings = {
        "PREFECT_API_URL": f"http://127.0.0.1:{port_of(server)}/api",
        "PREFECT_HOME": str(folder.prefect),
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
    }
    if options.protect_prefect:
        settings["PREFECT_API_AUTH_STRING"] = f"core:{folder.secret('prefect-auth')}"
    return settings


def prefect_members(
    server: socket.socket, folder: StateFolder, options: UpOptions, environment: Mapping[str, str]
) -> list[Member]:
    """The server, and the worker that registers the deployments and serves them."""
    settings = _inherited() | dict(environment) | _SERVER_SETTINGS | {"PYTHONUNBUFFERED": "1"}
    if options.protect_prefect:
        settings["PREFECT_SERVER_API_AUTH_STRING"] = settings["PREFECT_API_AUTH_STRING"]
    health = "/api/health"
    members = [
        Member(
            "prefect-server",
            (sys.executable, "-m", "deployments.local.prefect_server", "--fd", "{fd}"),
            settings,
            listener=server,
            health=health,
            stop_signal=signal.SIGINT,
            stop_seconds=12.0,
        )
    ]
    if options.worker:
        members.append(_worker(folder, options, settings, f"http://127.0.0.1:{port_of(server)}{health}"))
    return members


def _worker(folder: StateFolder, options: UpOptions, settings: Mapping[str, str], server: str) -> Member:
    ready = folder.prefect / "worker.ready"
    arguments = ["--pool", WORK_POOL, "--name", f"local-{folder.stack}", "--ready", str(ready), "--server", server]
    arguments += ["--workdir", str((options.project or Path.cwd()).resolve())]
    if options.worker_limit is not None:
        arguments += ["--limit", str(options.worker_limit)]
    return Member(
        "worker",
        (sys.executable, "-m", "deployments.local.prefect_worker", *arguments),
        {**settings, "PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_WORKER_WEBSERVER_HOST": "127.0.0.1"},
        ready_file=ready,
        folder=project_folder(options),
        stop_signal=signal.SIGINT,
        stop_seconds=12.0,
    )


def project_folder(options: UpOptions) -> Path:
    """The folder with `prefect.yaml`: the one asked for, else the working directory, else the installed project."""
    if options.project is not None:
        return options.project.resolve()
    return Path.cwd() if Path("prefect.yaml").exists() else PROJECT_ROOT


def _inherited() -> dict[str, str]:
    """The user's environment without settings that would lead to another server or another cloud."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
    paths = [str(PROJECT_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    programs = [str(Path(sys.executable).parent), *filter(None, [os.environ.get("PATH")])]  # `python` is ours in flow runs too
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "PATH": os.pathsep.join(programs)}
