"""The activity worker: polls for tasks of the state machine and does them, several at once, until it is told to end."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from core_lib.framework.errors import CoreError, NotRunningError, RunError
from core_lib.framework.settings import Settings
from core_lib.helper import AwsSessions
from core_lib.runner.stepfunctions.handling import handle
from core_lib.runner.stepfunctions.interrupts import Interrupt
from core_lib.runner.stepfunctions.places import activity_arn
from core_lib.runner.stepfunctions.problems import Problem, told
from core_lib.runner.stepfunctions.tools import Tools

POLL_READ_SECONDS = 75.0
"""A poll is answered within 60 seconds, with a task or with nothing; AWS asks for a socket timeout of more than 65."""
LONGEST_PAUSE = 30.0
_GONE = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})


class ActivityWorker:
    """Workers of one process: `open`, then `run`, which blocks until `stop` was called and the tasks in hand are answered.

    Any number of processes may poll the same activity. A process that dies is noticed by the missing heartbeats: the state
    machine gives its task to another one.
    """

    def __init__(
        self, settings: Settings, tools: Tools, *, concurrency: int = 4, name: str = "core", sessions: AwsSessions | None = None
    ) -> None:
        self._settings = settings
        self._tools = tools
        self._name = name[:80]
        self._stopping = threading.Event()
        self._interrupts = [Interrupt() for _ in range(concurrency)]
        self._sessions = sessions or _patient(settings, concurrency)
        self.activity = ""
        self._log = logging.getLogger("core.worker.stepfunctions")

    def open(self) -> None:
        """Make sure of the activity.

        Raises:
            NotRunningError: it does not exist.
        """
        self.activity = self._find()

    def run(self) -> None:
        """Poll and work, until `stop`."""
        threads = [
            threading.Thread(target=self._poll, args=(interrupt,), name=f"activity-{number}", daemon=True)
            for number, interrupt in enumerate(self._interrupts)
        ]
        for thread in threads:
            thread.start()
        self._log.info("polling %s with %d threads", self.activity, len(threads))
        self._stopping.wait()
        self._end(threads)

    def stop(self) -> None:
        """End in good order: no new tasks; those in hand have `stepfunctions.stop_seconds` before they go back."""
        self._stopping.set()

    def _end(self, threads: list[threading.Thread]) -> None:
        """Give back what is in hand. Polls under way are left to the end of the process: a task that one still gets goes back."""
        deadline = time.monotonic() + self._settings.stepfunctions.stop_seconds
        while any(interrupt.busy for interrupt in self._interrupts) and time.monotonic() < deadline:
            time.sleep(0.1)
        for interrupt in self._interrupts:
            interrupt.now()
        for thread, interrupt in zip(threads, self._interrupts, strict=True):
            if interrupt.busy:
                thread.join(10)

    @property
    def _client(self) -> Any:
        return self._sessions.client("stepfunctions")

    def _find(self) -> str:
        arn = activity_arn(self._settings, self._sessions)
        try:
            self._client.describe_activity(activityArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ActivityDoesNotExist":
                raise
            raise NotRunningError(
                "the activity that this worker is to poll does not exist",
                where=arn,
                hint="deploy it (docs: Step Functions), or set stepfunctions.activity",
            ) from error
        return arn

    def _poll(self, interrupt: Interrupt) -> None:
        troubles = 0
        while not self._stopping.is_set():
            try:
                task = self._client.get_activity_task(activityArn=self.activity, workerName=self._name)
            except (BotoCoreError, ClientError, CoreError) as error:
                troubles += 1
                pause = min(LONGEST_PAUSE, 2.0 ** min(troubles, 10)) * random.uniform(0.5, 1)  # noqa: S311 - spreads load
                self._log.warning("polling failed, next try in %.0f s: %s", pause, error)
                self._stopping.wait(pause)
                continue
            troubles = 0
            if task.get("taskToken"):
                self._work(task["taskToken"], task["input"], interrupt)

    def _work(self, token: str, given: str, interrupt: Interrupt) -> None:
        """Do one task and answer it, whatever happens."""
        with interrupt.working(), self._beating(token, interrupt):
            if self._stopping.is_set():
                self._answer(token, told(RunError("this worker ends, another one goes on")))
                return
            try:
                result: dict[str, Any] | Problem = handle(
                    json.loads(given), self._tools, self._settings.stepfunctions.shift_seconds, interrupt.run
                )
            except Exception as error:  # noqa: BLE001 - every error belongs to the state machine, which decides what it means
                self._log.warning("a task failed: %s", error, exc_info=self._log.isEnabledFor(logging.DEBUG))
                result = told(error)
            self._answer(token, result)

    def _answer(self, token: str, result: dict[str, Any] | Problem) -> None:
        try:
            if isinstance(result, Problem):
                self._client.send_task_failure(taskToken=token, error=result.error[:256], cause=result.cause)
            else:
                self._client.send_task_success(taskToken=token, output=json.dumps(result))
        except (BotoCoreError, ClientError) as error:
            # The ledger has what was done; without an answer the state machine has the task done again, which then finds it done.
            self._log.warning("the answer to a task was not taken: %s", error)

    def _beating(self, token: str, interrupt: Interrupt) -> Heart:
        return Heart(self._client, token, self._settings.stepfunctions.heartbeat_seconds, interrupt)


def _patient(settings: Settings, concurrency: int) -> AwsSessions:
    """Sessions that wait long enough for a poll, with a connection for each poll and each heartbeat."""
    aws = settings.aws.model_copy(update={"read_timeout": max(settings.aws.read_timeout, POLL_READ_SECONDS)})
    limits = settings.limits.model_copy(update={"concurrency": max(settings.limits.concurrency, 2 * concurrency)})
    return AwsSessions(settings.model_copy(update={"aws": aws, "limits": limits}))


class Heart:
    """Heartbeats of one task, as long as it is open. When the state machine has given the task up, the work is interrupted."""

    def __init__(self, client: Any, token: str, every: float, interrupt: Interrupt) -> None:
        self._client = client
        self._token = token
        self._every = every
        self._interrupt = interrupt
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="task-heartbeat", daemon=True)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _beat(self) -> None:
        log = logging.getLogger("core.worker.stepfunctions")
        while not self._over.wait(self._every):
            try:
                self._client.send_task_heartbeat(taskToken=self._token)
            except ClientError as error:
                if error.response["Error"]["Code"] in _GONE and not self._over.is_set():
                    log.warning("the state machine has given this task up, it is left to whoever has it now")
                    self._interrupt.now()
                    return
                log.warning("a heartbeat was not taken: %s", error)
            except BotoCoreError as error:
                log.warning("a heartbeat was not taken: %s", error)
