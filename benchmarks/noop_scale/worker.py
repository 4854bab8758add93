"""The worker process: carries the payload in a file out, and prints its own wall time, CPU time and peak memory as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path


def main() -> None:
    """The clock starts before Prefect and the platform are imported, as it does for a worker's flow process."""
    started = time.monotonic()
    from core_lib.framework.models import TaskPayload
    from flows import door

    end = door.run_here(TaskPayload.model_validate_json(Path(sys.argv[1]).read_text()))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "state": end.state,
        "message": end.message,
        "seconds": time.monotonic() - started,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss / 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
