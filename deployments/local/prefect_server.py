"""The Prefect server on an inherited socket: `python -m deployments.local.prefect_server --fd N`.

The same application as `prefect server start` serves, without the command line's own start, and with one difference: on SQLite
it begins its transactions as writers. Left alone it begins them as readers, and a reader that wants to write while somebody else
has written is refused at once: the client gets a 503 and waits two seconds. Begun as writers they queue for milliseconds.
"""

from __future__ import annotations

import argparse
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefect.server.database.configurations import AioSqliteConfiguration
    from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction


def queue_writers() -> None:
    """Let every transaction of Prefect's SQLite database begin with BEGIN IMMEDIATE."""
    from prefect.server.database.configurations import SQLITE_BEGIN_MODE, AioSqliteConfiguration

    @asynccontextmanager
    async def begin(
        _self: AioSqliteConfiguration, session: AsyncSession, with_for_update: bool = False
    ) -> AsyncGenerator[AsyncSessionTransaction, None]:
        _ = with_for_update
        token = SQLITE_BEGIN_MODE.set("IMMEDIATE")
        try:
            async with session.begin() as transaction:
                yield transaction
        finally:
            SQLITE_BEGIN_MODE.reset(token)

    AioSqliteConfiguration.begin_transaction = begin  # type: ignore[assignment]


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="prefect_server", description="The Prefect server.")
    parser.add_argument("--fd", type=int, required=True, help="an inherited socket that listens")
    arguments = parser.parse_args()

    import uvicorn
    from prefect.server.api.server import create_app

    queue_writers()
    config = uvicorn.Config(create_app(final=True), log_level="warning", timeout_keep_alive=30, timeout_graceful_shutdown=5)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=arguments.fd)])


if __name__ == "__main__":
    main()
