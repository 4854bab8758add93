"""MiniStack with snapshots: `python -m deployments.local.emulators.ministack_server --fd N [--state FOLDER]`.

MiniStack writes its state when it stops cleanly. Here a forked child writes it from time to time as well (as a
database does for its background save), so that kill -9 loses seconds, not the day. A watchdog ends the process when a
clean stop hangs, which MiniStack does while a stack waits for a custom resource.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

from deployments.local.emulators import managed_passwords
from deployments.local.emulators.snapshots import Snapshots

_STOP_SECONDS = 6.0


def _environment(public_port: int, account: str, state: Path | None) -> dict[str, str]:
    """MiniStack's settings; it must never build a URL or listen outside of this machine."""
    settings = {
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(public_port),
        "MINISTACK_ACCOUNT_ID": account,
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    }
    if state is not None:
        settings |= {
            "PERSIST_STATE": "1",
            "STATE_DIR": str(state / "services"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(state / "s3"),
        }
    return settings


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="ministack_server", description="MiniStack with snapshots.")
    parser.add_argument("--fd", type=int, required=True, help="an inherited socket that listens")
    parser.add_argument("--public-port", type=int, required=True, help="the gateway's port, for URLs in answers")
    parser.add_argument("--account", required=True)
    parser.add_argument("--state", type=Path, help="folder that keeps the state; in memory when left out")
    arguments = parser.parse_args()
    os.environ.update(_environment(arguments.public_port, arguments.account, arguments.state))
    asyncio.run(_serve(arguments.fd, arguments.state))


async def _serve(descriptor: int, state: Path | None) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app as ministack

    from deployments.local.emulators import more_resources

    managed_passwords.install()
    more_resources.install()
    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.keep_alive_timeout = 3600
    config.graceful_timeout = 1
    config.backlog = 1024
    config.loglevel = "WARNING"
    application = ministack.app
    if state is not None:
        snapshots = Snapshots(lambda: ministack.save_all(ministack._build_persistence_save_dict()))
        application = snapshots.watch(ministack.app)
        threading.Thread(target=snapshots.keep_saving, daemon=True, name="snapshots").start()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, stopped)
    await serve(application, config, shutdown_trigger=stopped.wait)


def _stop(stopped: asyncio.Event) -> None:
    watchdog = threading.Timer(_STOP_SECONDS, _give_up)
    watchdog.daemon = True
    watchdog.start()
    stopped.set()


def _give_up() -> None:
    sys.stderr.write(f"ministack did not stop within {_STOP_SECONDS:.0f} s, ending it\n")
    os._exit(1)


if __name__ == "__main__":
    main()
