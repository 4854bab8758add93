"""The same state machine with a Lambda function instead of an activity: MiniStack runs the function as a process of its own."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from pathlib import Path

from core_lib.framework.models import RunStatus
from deployments.stepfunctions import install
from tests.builders.plans import action, plan_of
from tests.integration.stepfunctions.conftest import Plant

ROOT = Path(__file__).parents[3]
FUNCTION = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, *{[path for path in sys.path if "site-packages" in path]!r}]
from core_lib.runner.stepfunctions.aws_lambda import handler
"""


def test_state_machine_when_its_tasks_are_done_by_a_function_then_the_run_ends_as_with_workers(plant: Plant) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("function.py", FUNCTION)
    given = {name: value for name, value in os.environ.items() if name.startswith("CORE_")}
    credentials = {name: os.environ[name] for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    arn = plant.sessions.client("lambda").create_function(
        FunctionName="steps", Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}", Timeout=60,
        Handler="function.handler", Code={"ZipFile": package.getvalue()}, Role="arn:aws:iam::123456789012:role/steps",
        Environment={"Variables": given | credentials},
    )["FunctionArn"]  # fmt: skip
    install(plant.settings, plant.sessions, task_resource=arn)
    plant.cloud.reset_calls()

    run = plant.carried_out(plan_of([action("one"), action("two", after=("one",))]), 90)
    assert (run.status, run.counts) == (RunStatus.SUCCEEDED, {"succeeded": 2})
    assert plant.cloud.count("states", "SendTaskSuccess") == 0, "no worker has done it"
