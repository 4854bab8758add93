"""The Python door of the flows, for the CLI and the API: hand a payload to Prefect's workers, or carry it out right here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling

from core_lib.db import Cmdb, Event
from core_lib.framework.errors import NotRunningError
from core_lib.framework.models import (
    Approval,
    ApprovalStatus,
    Decision,
    Options,
    Prn,
    RunState,
    RunStatus,
    TaskPayload,
    Verdict,
)
from core_lib.framework.settings import Settings, load_settings
from core_lib.helper import AwsSessions
from core_lib.runner import new_run_id
from core_lib.runner.stepfunctions import Executions
from flows.staging import staged

POLL_SECONDS = 0.5
WAKE_LOOKS = 60


@dataclass(frozen=True, slots=True)
class Submission:
    """A request that Prefect has taken: the run it will be (the name in the CMDB), and the flow run that works on it."""

    run_id: str
    flow_run_id: str


@dataclass(frozen=True, slots=True)
class FlowEnd:
    """How a flow run stands. `state` is Prefect's type in lower case (completed, failed, cancelled, crashed, running ...)."""

    run_id: str
    flow_run_id: str | None
    state: str
    message: str | None

    @property
    def completed(self) -> bool:
        """Whether everything that was asked for was done."""
        return self.state == "completed"


def submit(payload: TaskPayload, *, settings: Settings | None = None) -> Submission:
    """Hand a payload to the workers. A package on this machine is put into the artefact store first.

    Raises:
        NotRunningError: Prefect cannot be reached, or the platform's deployments are not registered there.
        PackageError, ArtefactError: the package cannot be taken or stored.
    """
    settings = settings or load_settings()
    run_id = payload.correlation_id or new_run_id()
    payload = staged(payload.but(correlation_id=run_id), settings)
    tags = [payload.client, str(payload.prn), payload.task.value, run_id]
    return _submit("invoke", run_id, {"payload": payload.as_dict()}, tags, settings)


def submit_resume(
    client: str,
    run_id: str,
    options: Options | None = None,
    *,
    by: str | None = None,
    take_over: bool = False,
    settings: Settings | None = None,
) -> Submission:
    """Have the workers go on with a run, for the person `by` (see `flows.resume`); errors as `submit`."""
    parameters = {
        "client": client,
        "run_id": run_id,
        "options": options.as_dict() if options else None,
        "take_over": take_over,
        "by": by,
    }
    return _submit("resume", run_id, parameters, [client, run_id], settings or load_settings())


def submit_teardown(payload: TaskPayload, confirm: str, *, settings: Settings | None = None) -> Submission:
    """Hand a teardown to the workers through the guarded flow; `confirm` repeats the PRN. Errors as `submit`."""
    settings = settings or load_settings()
    run_id = payload.correlation_id or new_run_id()
    payload = staged(payload.but(correlation_id=run_id), settings)
    tags = [payload.client, str(payload.prn), payload.task.value, run_id]
    return _submit("teardown", run_id, {"payload": payload.as_dict(), "confirm": confirm}, tags, settings)


def run_here(payload: TaskPayload, *, settings: Settings | None = None) -> FlowEnd:
    """Carry a payload out in this process, with the same flow. Blocks until its end.

    Without a Prefect API in the settings or the environment, Prefect starts a server of its own for the time of the call.
    """
    from flows.invoke import invoke  # the flows load slowly; who only submits does not need them

    payload = payload.but(correlation_id=payload.correlation_id or new_run_id())
    with _prefect(settings or load_settings()):
        state: State[Any] = asyncio.run(invoke(payload, return_state=True))  # type: ignore[arg-type]
    return _end(str(payload.correlation_id), state)


def teardown_here(payload: TaskPayload, confirm: str, *, settings: Settings | None = None) -> FlowEnd:
    """As `run_here`, through the guarded flow."""
    from flows.teardown import teardown

    payload = payload.but(correlation_id=payload.correlation_id or new_run_id())
    with _prefect(settings or load_settings()):
        state: State[Any] = asyncio.run(teardown(payload, confirm, return_state=True))  # type: ignore[arg-type]
    return _end(str(payload.correlation_id), state)


def resume_here(
    client: str,
    run_id: str,
    options: Options | None = None,
    *,
    by: str | None = None,
    take_over: bool = False,
    settings: Settings | None = None,
) -> FlowEnd:
    """As `run_here`, for a run that is to go on."""
    from flows.resume import resume

    with _prefect(settings or load_settings()):
        state: State[Any] = asyncio.run(resume(client, run_id, options, take_over, by, return_state=True))  # type: ignore[arg-type]
    return _end(run_id, state)


def look(submission: Submission, *, settings: Settings | None = None) -> FlowEnd:
    """How a submitted flow run stands right now.

    Raises:
        NotRunningError: Prefect cannot be reached, or does not know the flow run.
    """
    with _client(settings or load_settings()) as client:
        return _look(client, submission)


def wait(submission: Submission, *, timeout: float | None = None, settings: Settings | None = None) -> FlowEnd:
    """Wait until a submitted flow run has ended, at most `timeout` seconds; the answer says how it stands then."""
    deadline = None if timeout is None else time.monotonic() + timeout
    with _client(settings or load_settings()) as client:
        while True:
            end = _look(client, submission)
            late = deadline is not None and time.monotonic() >= deadline
            if late or end.state in ("completed", "failed", "cancelled", "crashed"):
                return end
            time.sleep(POLL_SECONDS)


def cancel_run(client: str, run_id: str, *, settings: Settings | None = None) -> RunState:
    """Cancel a run. Its worker winds down and ends it; a run that no worker has (or that lost its worker) ends at once.

    Raises:
        NotFoundError: there is no such run.
        RunStateError: it has already ended.
    """
    settings = settings or load_settings()
    with Cmdb(settings) as cmdb:
        runs = cmdb.for_client(client).runs
        run = runs.request_cancel(run_id)
        sleeps = run.status is RunStatus.AWAITING_APPROVAL
        if run.epoch > 0 and runs.alive(run) and not sleeps:
            return run
        cmdb.for_client(client).approvals.withdraw(run_id)
        if run.execution is not None:
            with closing(AwsSessions(settings)) as sessions:
                Executions(settings, sessions).stop(run.execution, f"run {run_id} was cancelled")
        if run.flow_run_id is not None:
            with _client(settings) as prefect, suppress(ObjectNotFound):
                prefect.set_flow_run_state(UUID(run.flow_run_id), Cancelling(message=f"run {run_id} was cancelled"))
        if run.epoch == 0:
            return runs.transition(run_id, RunStatus.CANCELLED)
        fenced = runs.take(run_id)  # a worker that only slept must not go on when it wakes up
        return runs.transition(run_id, RunStatus.CANCELLED, epoch=fenced.epoch)


def decide(
    client: str, question: Approval, verdict: Verdict, by: str, comment: str | None = None, *, settings: Settings | None = None
) -> Approval:
    """Give a person's answer to a question of a run, remember it in the event history, and wake the run up.

    Raises:
        ApprovalError: the question is not open any more, or this person may not answer it, or has answered.
        NotRunningError: the answer is kept, but Prefect, which has to wake the run, cannot be reached; answer again later or
            resume the run.
    """
    settings = settings or load_settings()
    decision = Decision(by=by, verdict=verdict, at=datetime.now(UTC), comment=comment)
    with Cmdb(settings) as cmdb:
        acme = cmdb.for_client(client)
        answered = acme.approvals.decide(question.run_id, question.action_id, question.attempt, decision)
        details = {"Action": question.action_id, "Attempt": question.attempt}
        identity = f"{question.run_id}\n{question.action_id}\n{question.attempt}\n{by}"
        acme.events.append(
            Event(
                prn=Prn.parse(question.prn), at=decision.at, event_type="STATUS", status=verdict.value.upper(), message=comment,
                run_id=question.run_id, actor=by, details=details, id=sha256(identity.encode()).hexdigest()[:32],
            )
        )  # fmt: skip
    if answered.status is not ApprovalStatus.OPEN:
        wake(client, question.run_id, settings=settings)
    return answered


def wake(client: str, run_id: str, *, settings: Settings | None = None) -> bool:
    """Have a run that sleeps until people answer look at their answers; says whether it was asleep.

    Raises:
        NotFoundError: there is no such run.
        NotRunningError: Prefect cannot be reached.
    """
    settings = settings or load_settings()
    with Cmdb(settings) as cmdb:
        run = cmdb.for_client(client).runs.get(run_id)
    if run.status is not RunStatus.AWAITING_APPROVAL or run.flow_run_id is None or run.executor != "prefect":
        return False
    with _client(settings) as prefect:
        for _ in range(WAKE_LOOKS):
            state = prefect.read_flow_run(UUID(run.flow_run_id)).state
            if state is not None and state.is_paused():
                prefect.resume_flow_run(UUID(run.flow_run_id))
                return True
            if state is not None and state.is_final():
                return False
            time.sleep(POLL_SECONDS)  # it is about to be suspended, or is looking at the answers right now
    return False


def _submit(flow: str, run_id: str, parameters: Mapping[str, Any], tags: list[str], settings: Settings) -> Submission:
    with _client(settings) as client:
        try:
            deployment = client.read_deployment_by_name(f"{flow}/{flow}")
        except ObjectNotFound as error:
            raise NotRunningError(
                f"the deployment {flow}/{flow} is not registered", where="Prefect", hint="core up, or: prefect deploy --all"
            ) from error
        flow_run = client.create_flow_run_from_deployment(deployment.id, parameters=dict(parameters), tags=tags)
    return Submission(run_id, str(flow_run.id))


def _look(client: SyncPrefectClient, submission: Submission) -> FlowEnd:
    try:
        state = client.read_flow_run(UUID(submission.flow_run_id)).state
    except ObjectNotFound as error:
        raise NotRunningError("Prefect does not know the flow run", where=submission.flow_run_id) from error
    return _end(submission.run_id, state, submission.flow_run_id)


def _end(run_id: str, state: State[Any] | None, flow_run_id: str | None = None) -> FlowEnd:
    if state is None:
        return FlowEnd(run_id, flow_run_id, "pending", None)
    own = state.state_details.flow_run_id
    return FlowEnd(run_id, flow_run_id or (str(own) if own else None), state.type.value.lower(), state.message)


@contextmanager
def _prefect(settings: Settings) -> Iterator[None]:
    """Prefect's own settings, with what ours say about the way to its API."""
    updates: dict[Any, Any] = {}
    if settings.prefect.api_url:
        updates[PREFECT_API_URL] = settings.prefect.api_url
    if settings.prefect.auth_string:
        updates[PREFECT_API_AUTH_STRING] = settings.prefect.auth_string.get_secret_value()
    with temporary_settings(updates=updates):
        yield


@contextmanager
def _client(settings: Settings) -> Iterator[SyncPrefectClient]:
    with _prefect(settings):
        try:
            with get_client(sync_client=True) as client:
                yield client
        except httpx.HTTPError as error:
            raise NotRunningError(
                "Prefect's API cannot be reached", where=str(PREFECT_API_URL.value()), hint="core up starts the platform"
            ) from error
