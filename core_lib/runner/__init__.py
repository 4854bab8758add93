"""Layer 5, runner: gives a run its correlation id, registers it in the ledger with its plan, and finds it again.

A run is a record in the CMDB plus an immutable plan in the artefact store, found by content hash. Starting the work is the
executor's business (`flows` for Prefect); whoever resumes a run months later needs nothing but its name. `adhoc` makes plans that
no package was compiled for.
"""

from core_lib.runner.adhoc import FLEET, Operation, operation_of, operation_payload, operation_plan
from core_lib.runner.correlation import new_run_id
from core_lib.runner.rollback import Left, WayBack, way_back
from core_lib.runner.runner import Runner, needs_review
from core_lib.runner.taking_back import read_befores, read_way_back

__all__ = [
    "FLEET", "Left", "Operation", "Runner", "WayBack", "needs_review", "new_run_id", "operation_of", "operation_payload",
    "operation_plan", "read_befores", "read_way_back", "way_back",
]  # fmt: skip
