"""Starting a run through the platform and following it to its end."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exit_codes import ExitCode, exit_code_of, exit_code_of_run
from cli.options import DeploymentOptions, RunOptions, TargetOptions
from cli.preflight import freeze_note, gather, touched
from cli.progress import watch
from cli.request import options_of, payload_of, person, read_package
from cli.shell import Shell
from core_lib.framework.errors import CoreError, NotFoundError, RunError

if TYPE_CHECKING:
    from cli.connection import Connection
    from core_lib.framework.models import Plan, RunState, Task, TaskPayload
    from core_lib.report import PlanReview, RunSummary
    from flows.door import Submission


LAST = "last"


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


def prepare(connection: Connection, shell: Shell, task: Task, asked: Asked, **options: object) -> Prepared:
    """Compile here first, so that mistakes are told at once and with their file and line. Nothing is started yet."""
    from core_lib.component.lifecycle import refuse_too_early
    from core_lib.framework.errors import CompileError
    from core_lib.framework.models import PackageDetails
    from core_lib.helper import utc_now

    package = read_package(asked.package)
    payload = payload_of(
        connection,
        task,
        PackageDetails(path=str(asked.package.resolve())),
        asked.deployment,
        targets=asked.targets,
        options=options_of(asked.run, **options),
        executor=asked.run.executor,
    )
    inputs = gather(connection, payload, package)
    payload = inputs.payload
    if inputs.released is not None:
        refuse_too_early(connection.client.items, payload, inputs.released, inputs.facts.values)
    compilation = inputs.compile()
    for warning in compilation.warnings:
        shell.say(f"warning: {warning}")
    if task not in compilation.plans:
        known = ", ".join(sorted(compilation.plans))
        raise CompileError(f"the package has no plan for the task '{task}'", where=str(asked.package), hint=f"it has: {known}")
    plan = compilation.plans[task]
    if note := freeze_note(plan, utc_now(), ignored=payload.options.ignore_freeze):
        shell.say(f"freeze: {note}")
    return Prepared(payload, plan)


def start(connection: Connection, shell: Shell, payload: TaskPayload, *, detach: bool) -> RunState:
    """Hand the payload to the platform and follow the run to its end; with `detach` the command ends here."""
    from flows import door

    asked = payload if payload.requested_by else payload.but(requested_by=person(connection.settings))
    return follow(connection, shell, door.submit(asked, settings=connection.settings), detach=detach)


def follow(connection: Connection, shell: Shell, submission: Submission, *, detach: bool, taken_after: int = -1) -> RunState:
    """Follow a run that was handed over; with `detach` say its name and end the command."""
    if detach:
        shell.emit(
            {"RunId": submission.run_id, "FlowRunId": submission.flow_run_id},
            f"{submission.run_id}\nWatch it: core runs watch {submission.run_id}",
        )
        shell.done(ExitCode.OK)
    shell.say(f"run {submission.run_id}")
    return watch(connection, submission.run_id, shell, flow_check(connection, submission), taken_after=taken_after)


def flow_check(connection: Connection, submission: Submission) -> Callable[[], None]:
    """A check that raises when the flow run ended although the run's record does not say so."""

    def check() -> None:
        from flows import door

        end = door.look(submission, settings=connection.settings)
        if end.state in ("failed", "crashed", "cancelled"):
            raise error_from(end.message or f"the flow run {end.state}", submission.run_id)

    return check


_CODE = re.compile(r"\b(CORE-\d{4}) (.*)", re.DOTALL)


def error_from(message: str, where: str) -> CoreError:
    """The error that a flow run's message tells of, as the class of its code, so that exit codes stay what they are."""
    found = _CODE.search(message)
    if found is None:
        return RunError(message, where=where)
    return error_of(found.group(1))(found.group(2).strip(), where=where)


def error_of(code: str) -> type[CoreError]:
    """The class with this code; RunError for a code that nobody has."""
    return {kind.code: kind for kind in _family(CoreError)}.get(code, RunError)


def _family(kind: type[CoreError]) -> list[type[CoreError]]:
    return [found for child in kind.__subclasses__() for found in (child, *_family(child)) if "code" in vars(found)]


def named_run(connection: Connection, name: str) -> RunState:
    """A run by its name; `last` is the client's newest.

    Raises:
        NotFoundError: there is none.
    """
    if name != LAST:
        return connection.client.runs.get(name)
    newest = connection.client.runs.list(limit=1).items
    if not newest:
        raise NotFoundError("the client has no runs yet", where=connection.client_name)
    return newest[0]


def summary_of(connection: Connection, run_id: str) -> RunSummary:
    """What a run did so far."""
    from core_lib.execute import read_preflight
    from core_lib.report import summarize
    from core_lib.runner import Runner

    run, plan = Runner(connection.client, connection.store).load(run_id)
    found = read_preflight(connection.store, plan, run_id)
    return summarize(run, plan, connection.client.ledger.load(run_id), found)


def review_of(connection: Connection, run_id: str) -> PlanReview:
    """What a plan run found."""
    from core_lib.execute import read_preflight
    from core_lib.report import review
    from core_lib.runner import Runner

    _, plan = Runner(connection.client, connection.store).load(run_id)
    found = read_preflight(connection.store, plan, run_id)
    return review(plan, connection.client.ledger.load(run_id), run_id=run_id, preflight=found)


def finish(connection: Connection, shell: Shell, run: RunState) -> None:
    """Show the summary and end with the run's exit code."""
    from core_lib.report import render_text

    raise_if_refused(run)
    summary = summary_of(connection, run.run_id)
    shell.emit(summary, lambda: shell.out.print(render_text(summary), markup=False, end=""))
    code = exit_code_of_summary(summary)
    if code is not ExitCode.OK:
        shell.say(f"Continue where it stopped: core runs resume {run.run_id}")
        shell.done(code)


def exit_code_of_summary(summary: RunSummary) -> ExitCode:
    """The exit code of a run: that of its status, or 4 when all that failed was refused (locked stacks, a world that moved)."""
    code = exit_code_of_run(summary.status.value)
    reasons = {exit_code_of(error_of(group.code)) for group in summary.failures}
    return ExitCode.REFUSED if code is ExitCode.RUN_FAILED and reasons == {ExitCode.REFUSED} else code


def raise_if_refused(run: RunState) -> None:
    """Nothing, for a run that got as far as having a plan.

    Raises:
        CoreError: the run ended before that; the error is the one that ended it.
    """
    if run.error is not None and not run.plan_key:
        raise error_of(run.error.code)(run.error.message, where=run.error.where or run.run_id, hint=run.error.hint)


def announce(shell: Shell, prepared: Prepared) -> None:
    """Say what will be touched."""
    for line in touched(prepared.plan):
        shell.say(line)
