"""One compile as a whole process: `python -m benchmarks.compile.once CHAIN ACCOUNTS LINT-FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.compile.fleet import accounts, facts, package, payload
from core_lib.deployspec import Linter, compile_deployspec
from core_lib.framework.models import Task


def main() -> None:
    """Compile and say how many actions there are."""
    chain, count = int(sys.argv[1]), int(sys.argv[2])
    linter = Linter(Path(sys.argv[3]))
    made = compile_deployspec(payload(), package=package(chain), facts=facts(), accounts=accounts(count), linter=linter)
    print(len(made.plan(Task.DEPLOY).actions))


if __name__ == "__main__":
    main()
