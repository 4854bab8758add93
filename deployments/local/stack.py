"""One stack from its options: which members, which environment; and the process that supervises them.

Run by `up` as `python -m deployments.local.stack --launch ID [--detach]`, with the options as JSON on standard input.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from datetime import UTC, datetime

from core_lib.framework.errors import CoreError, StartError
from deployments.local.health import healthy
from deployments.local.members import Member, emulators
from deployments.local.options import MemberStatus, Phase, Progress, UpOptions
from deployments.local.ports import listen, port_of
from deployments.local.prefect_members import client_settings, prefect_members
from deployments.local.processes import STACK_VARIABLE, process_id
from deployments.local.state import StackRecord, StateFolder, described
from deployments.local.stepfunctions_members import stepfunctions_member
from deployments.local.supervisor import Supervisor, stop_on_signals

# The emulated AWS answers at once and knows no limits; what the platform would wait for on real AWS is settings, and set here.
EMBEDDED_PACE = {
    "CORE_POLLING__INITIAL_SECONDS": "0.2",
    "CORE_POLLING__LONGEST_SECONDS": "2",
    "CORE_LIMITS__RATES": '{"cloudformation": 500, "iam": 500, "organizations": 500, "ssm": 500}',
}


class Stack:
    """The members and the environment that follow from the options; its sockets are bound already."""

    def __init__(self, options: UpOptions, folder: StateFolder, closing: ExitStack) -> None:
        self.options = options
        self.environment: dict[str, str] = {"CORE_STATE_DIR": str(folder.path)}
        self.members: list[Member] = []
        self.endpoint = options.endpoint
        self.prefect_ui: str | None = None
        self._folder = folder
        self._closing = closing
        if options.mode == "embedded":
            self._add_emulators()
            self.environment |= {name: os.environ.get(name, value) for name, value in EMBEDDED_PACE.items()}
        self.environment |= self._aws_environment()
        if options.stepfunctions:
            self.members.append(stepfunctions_member(folder, options, self.environment | self._mark()))
        if options.prefect:
            self._add_prefect()

    def _add_emulators(self) -> None:
        ports = self.options.ports
        listeners = {
            name: self._closing.enter_context(listen(name, port))
            for name, port in (("gateway", ports.gateway), ("ministack", ports.ministack), ("moto", ports.moto))
        }
        self.members += emulators(
            **listeners, account=self.options.account, state=self._folder.emulators, environment=self._mark()
        )
        self.endpoint = f"http://127.0.0.1:{port_of(listeners['gateway'])}"

    def _add_prefect(self) -> None:
        server = self._closing.enter_context(listen("prefect", self.options.ports.prefect))
        self.environment |= client_settings(server, self._folder, self.options)
        self.prefect_ui = f"http://127.0.0.1:{port_of(server)}"
        self.members += prefect_members(server, self._folder, self.options, self.environment | self._mark())

    def _aws_environment(self) -> dict[str, str]:
        if self.endpoint is None:
            return {}
        own = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": self.options.region,
            "AWS_REGION": self.options.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if self.options.mode == "embedded" or "AWS_ACCESS_KEY_ID" not in os.environ:
            own |= {"AWS_ACCESS_KEY_ID": self.options.account, "AWS_SECRET_ACCESS_KEY": "embedded"}
        return own

    def _mark(self) -> dict[str, str]:
        return {STACK_VARIABLE: self._folder.stack}


def run_stack(options: UpOptions, launch: str, on_progress: Progress | None = None) -> None:
    """Hold the state folder, start the stack, supervise it until a signal ends it.

    Raises PlatformError when another supervisor holds the folder, PortTakenError, StartError.
    """
    folder = StateFolder(options.state_dir.resolve())
    folder.create()
    with folder.lock(), ExitStack() as closing:
        recorder = _Recorder(folder, options, launch, on_progress)
        try:
            if options.endpoint is not None and not _answers(options.endpoint):
                raise StartError(f"nothing answers at {options.endpoint}", where="--endpoint", hint="is it running?")
            stack = Stack(options, folder, closing)
            recorder.stack = stack
            supervisor = Supervisor(stack.members, folder, recorder.publish, options.start_seconds)
            with stop_on_signals(supervisor):
                supervisor.run()
        except CoreError as error:
            recorder.publish("failed", (), error)
            raise
        recorder.publish("stopped", ())


class _Recorder:
    """Writes `state.json`."""

    def __init__(self, folder: StateFolder, options: UpOptions, launch: str, on_progress: Progress | None) -> None:
        own = process_id(os.getpid())
        self._folder, self._options, self._launch = folder, options, launch
        self._started = own.started if own else 0
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._on_progress = on_progress
        self.stack: Stack | None = None

    def publish(self, phase: Phase, members: tuple[MemberStatus, ...], error: CoreError | None = None) -> None:
        stack = self.stack
        record = StackRecord(
            launch=self._launch,
            phase=phase,
            mode=self._options.mode,
            supervisor=os.getpid(),
            supervisor_started=self._started,
            started_at=self._started_at,
            members=members,
            environment=stack.environment if stack else {},
            endpoint=stack.endpoint if stack else None,
            prefect_ui=stack.prefect_ui if stack else None,
            error=error.as_dict() if error else None,
        )
        self._folder.write(record)
        if self._on_progress is not None:
            self._on_progress(described(self._folder, record))


def _answers(endpoint: str) -> bool:
    """True if an HTTP server answers there, with any status."""
    from urllib.error import HTTPError, URLError

    from deployments.local.health import LOCAL

    if healthy(endpoint):
        return True
    try:
        LOCAL.open(endpoint, timeout=5).close()
    except HTTPError as refusal:
        refusal.close()
        return True
    except (URLError, OSError, ValueError):
        return False
    return True


def main() -> int:
    """The supervisor process."""
    parser = argparse.ArgumentParser(prog="stack", description="Supervise one local stack.")
    parser.add_argument("--launch", required=True)
    parser.add_argument("--detach", action="store_true")
    arguments = parser.parse_args()
    options = UpOptions.model_validate_json(sys.stdin.read())
    if arguments.detach:
        if os.fork():
            return 0
        os.setsid()
    try:
        run_stack(options, arguments.launch)
    except CoreError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
