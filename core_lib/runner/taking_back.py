"""Reading what the way back of a run needs: its plan, what was kept of its stacks, its ledger, and today's stack records."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from pydantic import ValidationError

from core_lib.db import ClientCmdb, StackRecord
from core_lib.execute import StackBefore, run_prefix
from core_lib.framework.errors import RunStateError, TargetError
from core_lib.framework.models import Plan, Task
from core_lib.helper import ArtefactStore
from core_lib.runner.rollback import WayBack, way_back
from core_lib.runner.runner import Runner

READERS = 16


def read_way_back(
    cmdb: ClientCmdb,
    store: ArtefactStore,
    run_id: str,
    *,
    targets: Iterable[str] | None = None,
    recreate: bool = False,
    force: bool = False,
) -> WayBack:
    """The way back of a run, see `way_back`; `targets` (`account/region`, or an account) narrows it to some of its targets.

    Raises:
        NotFoundError: no such run.
        RunStateError: it never had a plan, only looked, or is still being executed.
        MovedError: a later run changed a stack since, and `force` is not set.
        TargetError: the run has no such target.
    """
    run, plan = Runner(cmdb, store).load(run_id)
    if run.task is Task.PLAN:
        raise RunStateError("this is a plan run, it changed nothing", where=run_id)
    if run.epoch > 0 and cmdb.runs.alive(run):
        raise RunStateError("the run is still being executed", where=run_id, hint=f"core runs cancel {run_id} --wait")
    wanted = _narrowed(plan, targets)
    befores = [before for before in read_befores(store, plan, run_id) if before.target in wanted]
    states = {key: row for key, row in cmdb.ledger.load(run_id).items() if key.partition("@")[2] in wanted}
    records = _records(cmdb, {before.target for before in befores})
    return way_back(run_id, plan, befores, states, records, recreate=recreate, force=force)


def read_befores(store: ArtefactStore, plan: Plan, run_id: str) -> list[StackBefore]:
    """What the run kept of the stacks it changed, in the order of their keys.

    Raises:
        ArtefactError: the store says no.
        RunStateError: something that was kept cannot be read.
    """
    keys = [key for key in store.list(f"{run_prefix(plan, run_id)}/{StackBefore.FOLDER}/") if key.endswith(".json")]
    with ThreadPoolExecutor(READERS, thread_name_prefix="artefacts") as pool:
        return [_parse(key, body) for key, body in zip(keys, pool.map(store.get, keys), strict=True)]


def _narrowed(plan: Plan, targets: Iterable[str] | None) -> set[str]:
    if targets is None:
        return set(plan.target_by_key)
    found: set[str] = set()
    for name in targets:
        meant = {target.key for target in plan.targets if name in (target.key, target.account, target.account_name)}
        if not meant:
            raise TargetError(f"the run has no target {name!r}", hint="give account/region, an account's id or its name")
        found |= meant
    return found


def _parse(key: str, body: bytes) -> StackBefore:
    try:
        return StackBefore.model_validate(json.loads(body))
    except (ValueError, ValidationError) as error:
        raise RunStateError("what was kept of a stack cannot be read", where=key) from error


def _records(cmdb: ClientCmdb, targets: set[str]) -> dict[str, StackRecord]:
    with ThreadPoolExecutor(READERS, thread_name_prefix="records") as pool:
        found = zip(sorted(targets), pool.map(cmdb.stacks.get_many, sorted(targets)), strict=True)
        return {f"{target}/{name}": record for target, records in found for name, record in records.items()}
