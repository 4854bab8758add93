"""The Step Functions executor of the local stack: `python -m deployments.local.stepfunctions_worker --ready FILE`.

Puts state machine and activity into the emulated Step Functions, then polls the activity until SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from core_lib.framework.settings import load_settings
from core_lib.helper import AwsSessions
from core_lib.logging import configure
from core_lib.runner.stepfunctions import ActivityWorker, Tools
from deployments.stepfunctions import install

CONCURRENCY = 8


def main() -> int:
    """Install, poll, end in good order."""
    parser = argparse.ArgumentParser(prog="stepfunctions_worker", description="The Step Functions executor, locally.")
    parser.add_argument("--ready", type=Path, required=True)
    ready = parser.parse_args().ready
    settings = load_settings()
    configure(settings)
    with AwsSessions(settings) as sessions:
        install(settings, sessions, afresh=True)
    tools = Tools(settings)
    worker = ActivityWorker(settings, tools, concurrency=CONCURRENCY, name="local")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    worker.open()
    ready.write_text(str(os.getpid()))
    try:
        worker.run()
    finally:
        ready.unlink(missing_ok=True)
        tools.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
