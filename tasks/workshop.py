"""The tools of one flow run, kept in this process by run id: sessions, CMDB, store, and what its stages hand on to each other.

Flow parameters end up in Prefect's database, so stages pass the run id only, and find everything else here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from core_lib.db import ClientCmdb, Cmdb
from core_lib.execute import Engine, Pace, PreflightReport
from core_lib.framework.errors import CancelledError, RunStateError
from core_lib.framework.models import ActionState, Options, Plan, RunState, StackReview
from core_lib.framework.settings import Settings, load_settings
from core_lib.helper import ArtefactStore, AwsSessions, open_store
from core_lib.logging import bind
from core_lib.runner import Runner
from tasks.floor import Floor
from tasks.lines import configure_lines

if TYPE_CHECKING:
    from core_lib.deployspec import Compilation

T = TypeVar("T")

# Prefect's worker kills a flow run 30 s after it asked it to end; what AWS cannot stop within this time is left to `resume`.
STOPPING = timedelta(seconds=15)


class Workshop:
    """Everything one run needs in this process. The stages fill in the second half, from top to bottom.

    Not a dataclass on purpose: Prefect walks through those when it looks for futures in the parameters of a task.
    """

    def __init__(self, run_id: str, settings: Settings, sessions: AwsSessions, cmdb: ClientCmdb, store: ArtefactStore) -> None:
        self.run_id = run_id
        self.settings = settings
        self.sessions = sessions
        self.cmdb = cmdb
        self.store = store
        self.runner = Runner(cmdb, store)
        self.stopped: str | None = None

        self.compilation: Compilation | None = None
        self.pace = Pace(settings.polling)
        self.run: RunState | None = None
        self.plan: Plan | None = None
        self.engine: Engine | None = None
        self.floor: Floor | None = None
        self.preflight: PreflightReport | None = None
        self.options: Options | None = None
        self.only_if_idle = False
        self.resuming = False
        self.resumed_by: str | None = None
        self.waking = False
        self.parks = False
        self.parked = False
        self.reviews: Mapping[str, StackReview] = {}
        self.ended = False
        self.left: str | None = None
        self.fatal: BaseException | None = None
        self.states: Mapping[str, ActionState] = {}

    def stop(self, reason: str) -> None:
        """Ask the run to end in an orderly way, before Prefect's worker kills this process."""
        self.stopped = self.stopped or reason
        self.pace.grace = STOPPING
        if self.engine is not None:
            self.engine.cancel()

    def leave(self, why: str) -> None:
        """The run goes on without this process, which only followed it."""
        self.left = why

    def raise_if_stopped(self) -> None:
        """Between two stages: do not begin the next one when the run was asked to end.

        Raises:
            CancelledError: it was.
        """
        if self.stopped:
            raise CancelledError(self.stopped, where=self.run_id, hint=f"go on with: core runs resume {self.run_id}")

    def have(self, thing: T | None, name: str) -> T:
        """What an earlier stage put here.

        Raises:
            RunStateError: that stage has not run.
        """
        if thing is None:
            raise RunStateError(f"the run has no {name} yet", where=self.run_id)
        return thing


_open: dict[str, Workshop] = {}


@contextmanager
def opened(client: str, run_id: str) -> Iterator[Workshop]:
    """Open the workshop of a run in this process, and close its sessions at the end.

    Raises:
        RunStateError: this process already works on that run.
        SettingsError: the settings cannot be used.
    """
    if run_id in _open:
        raise RunStateError("this process already works on the run", where=run_id)
    settings = load_settings()
    configure_lines(settings)
    with closing(AwsSessions(settings, correlation_id=run_id)) as sessions, Cmdb(settings) as cmdb, bind(correlation_id=run_id):
        store = open_store(settings, sessions)
        _open[run_id] = Workshop(run_id, settings, sessions, cmdb.for_client(client), store)
        try:
            yield _open[run_id]
        finally:
            del _open[run_id]


def workshop(run_id: str) -> Workshop:
    """The open workshop of a run.

    Raises:
        RunStateError: this process does not work on that run; only entry flows (invoke, resume) open one.
    """
    found = _open.get(run_id)
    if found is None:
        raise RunStateError("this process does not work on the run", where=run_id, hint="start the flow 'invoke' or 'resume'")
    return found
