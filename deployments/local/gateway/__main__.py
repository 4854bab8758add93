"""Run the gateway: `python -m deployments.local.gateway --fd 3 --ministack URL --moto URL ...`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
from pathlib import Path

from aiohttp import web

from deployments.local.gateway.accounts import Accounts
from deployments.local.gateway.assume_role import Sts
from deployments.local.gateway.call_log import CallLog
from deployments.local.gateway.faults import FaultBook
from deployments.local.gateway.server import Gateway, Parts
from deployments.local.gateway.sessions import SessionBook
from deployments.local.gateway.upstream import open_upstreams


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gateway", description="One AWS endpoint in front of the emulators.")
    parser.add_argument("--fd", type=int, required=True, help="an inherited socket that listens")
    parser.add_argument("--ministack", required=True, help="base URL of MiniStack")
    parser.add_argument("--moto", required=True, help="base URL of moto")
    parser.add_argument("--account", required=True, help="account of callers whose key is not an account")
    parser.add_argument("--sessions", type=Path, help="journal of issued session keys; in memory when left out")
    parser.add_argument("--creation-seconds", type=float, default=0.2, help="how long CreateAccount is IN_PROGRESS")
    return parser.parse_args()


async def serve(arguments: argparse.Namespace) -> None:
    """Serve on the loopback interface until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with open_upstreams({"ministack": arguments.ministack, "moto": arguments.moto}) as upstreams:
        sessions = SessionBook(arguments.account, arguments.sessions)
        accounts = Accounts(upstreams, arguments.creation_seconds)
        parts = Parts(upstreams, sessions, accounts, Sts(upstreams, sessions, accounts), FaultBook(), CallLog())
        runner = web.ServerRunner(web.Server(Gateway(parts).handle, access_log=None, keepalive_timeout=3600))
        await runner.setup()
        listener = socket.socket(fileno=arguments.fd)
        await web.SockSite(runner, listener, shutdown_timeout=2, backlog=1024).start()
        await stopped.wait()
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(_arguments()))
