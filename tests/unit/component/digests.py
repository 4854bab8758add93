"""`python -m tests.unit.component.digests FOLDER`: prints a digest of the compile of every package below a folder.

Packages are compiled in the order in which the file system lists them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from core_lib.component import compile_components
from core_lib.db import Facts
from core_lib.framework.codecs import canonical_json, sha256_hex
from core_lib.framework.models import DeploymentDetails, Task, TaskPayload
from core_lib.framework.package_sources import open_package
from tests.builders.component_facts import component_facts

DETAILS = DeploymentDetails(portfolio="shop", app="web", branch="main", build="7")


def digest(folder: Path) -> str:
    """Of all plans and files that a package becomes."""
    payload = TaskPayload(client="acme", task=Task.COMPILE, type="pipeline", deployment_details=DETAILS)
    made = compile_components(payload, package=open_package(folder), facts=Facts(component_facts()), accounts=(), linter=None)
    plans = {task.value: plan.to_json() for task, plan in made.plans.items()}
    files = {key: sha256_hex(body) for key, body in made.files.items()}
    return sha256_hex(canonical_json([plans, list(files.items()), [str(warning) for warning in made.warnings]]))


def main() -> None:
    """Print a line for each package, sorted."""
    root = Path(sys.argv[1])
    print("\n".join(sorted(f"{entry.name} {digest(Path(entry.path))}" for entry in os.scandir(root))))


if __name__ == "__main__":
    main()
