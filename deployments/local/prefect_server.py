"""The Prefect server on an inherited socket: `python -m deployments.local.prefect_server --fd N`.

The same application as `prefect server start` serves, without the command line's own start.
"""

from __future__ import annotations

import argparse
import socket


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="prefect_server", description="The Prefect server.")
    parser.add_argument("--fd", type=int, required=True, help="an inherited socket that listens")
    arguments = parser.parse_args()

    import uvicorn
    from prefect.server.api.server import create_app

    config = uvicorn.Config(create_app(final=True), log_level="warning", timeout_keep_alive=30, timeout_graceful_shutdown=5)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=arguments.fd)])


if __name__ == "__main__":
    main()
