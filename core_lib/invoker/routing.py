"""Which processor handles a payload, and how far it is taken."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core_lib.framework.errors import PayloadError
from core_lib.framework.models import Task, TaskPayload


class Processor(StrEnum):
    """Who turns a payload into something."""

    PACKAGE = "package"
    DEPLOYSPEC = "deployspec"
    COMPONENTS = "components"
    OPERATION = "operation"


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one payload.

    `stores`: the package is put into the artefact store. `compiles`: plans are made and stored.
    `runs`: the plan of `task` is executed (never in a dry run).
    """

    processor: Processor
    task: Task
    stores: bool
    compiles: bool
    runs: bool


_PACKAGE_TASKS = {Task.PACKAGE: False, Task.UPLOAD: True}
_RUN_TASKS = (Task.PLAN, Task.APPLY, Task.DEPLOY, Task.TEARDOWN)
_COMPONENT_TASKS = (*_RUN_TASKS, Task.RELEASE)
_OPERATIONS = (Task.PLAN, Task.DRIFT, Task.MEDIC, Task.ROLLBACK)


def route(payload: TaskPayload) -> Route:
    """Decide what happens to a payload.

    Raises:
        PayloadError: nobody handles this combination of Type and Task; the hint lists what is handled.
    """
    dry = payload.options.dry_run
    if payload.type == "operation":
        if payload.task not in _OPERATIONS:
            raise _unsupported(f"Task '{payload.task}' of an operation", ", ".join(_OPERATIONS))
        return Route(Processor.OPERATION, payload.task, stores=False, compiles=False, runs=not dry)
    if payload.task in _PACKAGE_TASKS:
        stores = _PACKAGE_TASKS[payload.task] and not dry
        return Route(Processor.PACKAGE, payload.task, stores=stores, compiles=False, runs=False)
    components = payload.type == "pipeline"
    processor = Processor.COMPONENTS if components else Processor.DEPLOYSPEC
    runnable = _COMPONENT_TASKS if components else _RUN_TASKS
    if payload.task is Task.COMPILE:
        return Route(processor, payload.task, stores=not dry, compiles=True, runs=False)
    if payload.task in runnable:
        return Route(processor, payload.task, stores=not dry, compiles=True, runs=not dry)
    handled = (*_PACKAGE_TASKS, Task.COMPILE, *runnable)
    raise _unsupported(f"Task '{payload.task}' of a {'component package' if components else 'deployspec'}", ", ".join(handled))


def _unsupported(what: str, handled: str) -> PayloadError:
    return PayloadError(f"{what} is not handled here", where="task payload", hint=f"handled: {handled}")
