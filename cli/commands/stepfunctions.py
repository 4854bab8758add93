"""`core stepfunctions`: put the executor's state machine somewhere, look at executions, stop and redrive them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.runs import RunArgument
from cli.shell import Shell, command
from core_lib.framework.errors import RunStateError

if TYPE_CHECKING:
    from cli.connection import Connection
    from core_lib.framework.models import RunState


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="The Step Functions executor.", rich_markup_mode=None, no_args_is_help=True)
    for name, function in (
        ("install", install), ("template", template), ("status", status), ("stop", stop), ("redrive", redrive),
    ):  # fmt: skip
        command(group, name)(function)
    app.add_typer(group, name="stepfunctions")


def install(
    shell: Shell,
    role: Annotated[str | None, typer.Option(metavar="ARN", help="Role of the state machine; emulators take any.")] = None,
    function: Annotated[str | None, typer.Option(metavar="ARN", help="Lambda function for the tasks, not workers.")] = None,
) -> None:
    """Make the state machine and its activity, or bring them up to date. For AWS in earnest use the template."""
    from cli.connection import connect
    from deployments.stepfunctions import install as put

    with connect(shell) as connection:
        arn = put(connection.settings, connection.sessions, role=role, task_resource=function)
    shell.emit({"StateMachine": arn}, arn)


def template(shell: Shell) -> None:
    """Print the CloudFormation template: state machine, activity or function, roles, logs, alarms, dead-letter queue."""
    from deployments.stepfunctions.template import template as document
    from deployments.stepfunctions.template import text

    shell.emit(document(), lambda: shell.out.print(text(), markup=False, end="", soft_wrap=True))


def status(shell: Shell, run_id: RunArgument) -> None:
    """Show the latest execution of a run."""
    from cli.connection import connect
    from cli.running import named_run
    from core_lib.runner.stepfunctions import Executions

    with connect(shell) as connection:
        run = _executed(named_run(connection, run_id))
        found = Executions(connection.settings, connection.sessions).look(str(run.execution))
    document = {"Execution": run.execution, "Status": found.status if found else None}
    if found and found.error:
        document |= {"Error": found.error, "Cause": found.cause}
    lines = [f"{key.lower():<10} {value}" for key, value in document.items()]
    shell.emit(document, "\n".join([*lines, f"{'run':<10} {run.status.value}"]))


def stop(shell: Shell, run_id: RunArgument) -> None:
    """Abort the execution of a run at once, without winding down. The last resort: try `core runs cancel` first."""
    from cli.connection import connect
    from cli.running import named_run
    from core_lib.runner.stepfunctions import Executions

    with connect(shell) as connection:
        run = _executed(named_run(connection, run_id))
        stopped = Executions(connection.settings, connection.sessions).stop(str(run.execution), "core stepfunctions stop")
    told = "stopped; go on with: core stepfunctions redrive, or core runs resume" if stopped else "it does not run"
    shell.emit({"Execution": run.execution, "Stopped": stopped}, f"{run.execution}: {told}")


def redrive(shell: Shell, run_id: RunArgument) -> None:
    """Let an execution that was stopped or timed out go on where it was; resumes the run where Step Functions cannot do that."""
    from cli.connection import connect
    from cli.running import named_run
    from core_lib.runner.stepfunctions import Executions

    with connect(shell) as connection:
        run = _executed(named_run(connection, run_id))
        if not run.status.ended and Executions(connection.settings, connection.sessions).redrive(str(run.execution)):
            shell.emit({"Execution": run.execution, "Redriven": True}, f"{run.execution} goes on")
            return
        _resume(shell, connection, run)


def _resume(shell: Shell, connection: Connection, run: RunState) -> None:
    from cli.request import person
    from cli.running import finish, follow
    from flows import door

    submission = door.submit_resume(run.client, run.run_id, by=person(connection.settings), settings=connection.settings)
    finish(connection, shell, follow(connection, shell, submission, detach=False, taken_after=run.epoch))


def _executed(run: RunState) -> RunState:
    if run.execution is None:
        raise RunStateError("the run has no execution of Step Functions", where=run.run_id, hint=f"executor: {run.executor}")
    return run
