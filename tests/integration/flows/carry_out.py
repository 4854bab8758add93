"""Carry out the payload in a file, as a flow process does: `python -m tests.integration.flows.carry_out payload.json`."""

from __future__ import annotations

import sys
from pathlib import Path

from core_lib.framework.models import TaskPayload
from flows import door


def main() -> None:
    """Run it and print how it ended."""
    end = door.run_here(TaskPayload.model_validate_json(Path(sys.argv[1]).read_text()))
    print(end.state, end.message)


if __name__ == "__main__":
    main()
