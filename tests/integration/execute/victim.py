"""A worker process that kills itself: executes a run, and dies by SIGKILL before or after its n-th ledger transaction.

The order is JSON: run_id, plan and store (paths), overrides (settings), at (n), after (or before the n-th write).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core_lib.db import Cmdb
from core_lib.execute import Engine, units
from core_lib.framework.models import ActionState, Plan
from core_lib.framework.settings import load_settings
from core_lib.helper import AwsSessions, FolderStore


def main(order: dict[str, Any]) -> None:
    """Work until death."""
    settings = load_settings(order["overrides"])
    plan = Plan.model_validate_json(Path(order["plan"]).read_text(encoding="utf-8"))
    with Cmdb(settings) as opened, AwsSessions(settings, correlation_id=order["run_id"]) as sessions:
        cmdb = opened.for_client(plan.client)
        write, count = cmdb.ledger.write, 0

        def deadly(states: Sequence[ActionState], *, epoch: int) -> list[ActionState]:
            nonlocal count
            count += 1
            if count == order["at"] and not order["after"]:
                os.kill(os.getpid(), signal.SIGKILL)
            written = write(states, epoch=epoch)
            if count == order["at"]:
                os.kill(os.getpid(), signal.SIGKILL)
            return written

        cmdb.ledger.write = deadly  # type: ignore[method-assign]
        run = cmdb.runs.take(order["run_id"])

        async def work() -> None:
            async with Engine(plan, cmdb, sessions, FolderStore(Path(order["store"])), settings, run) as engine:
                await asyncio.gather(*(engine.drive(unit) for unit in units(plan)))

        asyncio.run(work())


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
