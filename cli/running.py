"""Starting a run through the platform and following it to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.exit_codes import ExitCode, exit_code_of_run
from cli.preflight import gather, touched
from cli.progress import watch
from cli.request import options_of, payload_of, read_package, upload_package
from cli.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from cli.connection import Connection
    from cli.options import DeploymentOptions, RunOptions, TargetOptions
    from core_lib.framework.models import Plan, RunState, Task, TaskPayload
    from core_lib.report import PlanReview, RunSummary


@dataclass(frozen=True)
class Asked:
    """What the user asked for, before it is a payload."""

    package: Path
    deployment: DeploymentOptions
    targets: TargetOptions
    run: RunOptions


@dataclass(frozen=True)
class Prepared:
    """A payload that compiles, and the plan it compiles to."""

    payload: TaskPayload
    plan: Plan
    warnings: tuple[str, ...]


def prepare(connection: Connection, shell: Shell, task: Task, asked: Asked, **options: object) -> Prepared:
    """Compile here first, so that mistakes are told at once and with their file and line; then upload the package."""
    package = read_package(asked.package)
    from core_lib.framework.models import PackageDetails

    given = options_of(asked.run, **options)
    payload = payload_of(connection, task, PackageDetails(), asked.deployment, targets=asked.targets, options=given)
    compilation = gather(connection, payload, package).compile()
    for warning in compilation.warnings:
        shell.say(f"warning: {warning}")
    uploaded = upload_package(connection, package, payload.deployment_details)
    return Prepared(payload.but(package=uploaded), compilation.plans[task], tuple(map(str, compilation.warnings)))


def start(connection: Connection, shell: Shell, payload: TaskPayload, *, detach: bool) -> RunState:
    """Hand the payload to the platform and follow the run to its end; `detach` returns the run's name and ends the command."""
    import flows

    submission = flows.submit(payload)
    if detach:
        shell.emit(
            {"RunId": submission.run_id, "FlowRunId": submission.flow_run_id},
            f"{submission.run_id}\nWatch it: core runs watch {submission.run_id}",
        )
        shell.done(ExitCode.OK)
    shell.say(f"run {submission.run_id}")
    return watch(connection, submission.run_id, shell, lambda: flows.check(submission.flow_run_id))


def summary_of(connection: Connection, run_id: str) -> RunSummary:
    """What a run did so far."""
    from core_lib.report import summarize
    from core_lib.runner import Runner

    run, plan = Runner(connection.client, connection.store).load(run_id)
    return summarize(run, plan, connection.client.ledger.load(run_id))


def review_of(connection: Connection, run_id: str) -> PlanReview:
    """What a plan run found."""
    from core_lib.report import review
    from core_lib.runner import Runner

    _, plan = Runner(connection.client, connection.store).load(run_id)
    return review(plan, connection.client.ledger.load(run_id), run_id=run_id)


def finish(connection: Connection, shell: Shell, run: RunState) -> None:
    """Show the summary and end with the run's exit code."""
    from core_lib.report import render_text

    summary = summary_of(connection, run.run_id)
    shell.emit(summary, lambda: shell.out.print(render_text(summary), markup=False, end=""))
    code = exit_code_of_run(run.status.value)
    if code is ExitCode.RUN_FAILED:
        shell.say(f"Continue where it stopped: core runs resume {run.run_id}")
    if code is not ExitCode.OK:
        shell.done(code)


def announce(shell: Shell, prepared: Prepared) -> None:
    """Say what will be touched."""
    for line in touched(prepared.plan):
        shell.say(line)
