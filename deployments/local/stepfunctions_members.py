"""The part of the stack that executes plans by Step Functions: one activity worker."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from deployments.local.members import Member, clean_environment
from deployments.local.options import UpOptions
from deployments.local.prefect_members import project_folder
from deployments.local.state import StateFolder

_STOP_SECONDS = 5.0


def stepfunctions_member(folder: StateFolder, options: UpOptions, environment: Mapping[str, str]) -> Member:
    """The worker; it brings state machine and activity along. It starts beside Prefect, as soon as AWS answers."""
    ready = folder.path / "stepfunctions.ready"
    settings = {"CORE_STEPFUNCTIONS__STOP_SECONDS": "3"} | dict(environment)
    return Member(
        "stepfunctions-worker",
        (sys.executable, "-m", "deployments.local.stepfunctions_worker", "--ready", str(ready)),
        clean_environment(settings),
        needs=("gateway",) if options.mode == "embedded" else (),
        ready_file=ready,
        folder=project_folder(options),
        stop_seconds=_STOP_SECONDS,
    )
