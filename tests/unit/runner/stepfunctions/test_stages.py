"""The stations between the maps: how a plan is laid out, and what is made of the results."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from core_lib.execute import Pace
from core_lib.framework.errors import PayloadError, RunStateError
from core_lib.framework.models import ActionState, ActionStatus, ErrorInfo, Options, Plan, RunStatus
from core_lib.framework.settings import Settings
from core_lib.helper import FolderStore
from core_lib.runner.stepfunctions import Tools, handle
from core_lib.runner.stepfunctions.messages import BatchEnd, Journey
from core_lib.runner.stepfunctions.stages import MOST_INLINE, count, open_run, settle
from core_lib.runner.stepfunctions.tools import Bench
from tests.builders.memory_cmdb import MemoryCmdb
from tests.builders.plans import action, plan_of

START = Journey(client="acme", run_id="run-1", epoch=1)


class Bucket(FolderStore):
    """A folder that says it is a bucket."""

    @property
    def location(self) -> str:
        return "s3://artefacts/core"


class FakeTools:
    """Tools of one run, in memory."""

    def __init__(self, plan: Plan, store: FolderStore, options: Options | None = None) -> None:
        self.cmdb = MemoryCmdb(options)
        self.settings = Settings()
        self.made = Bench(
            settings=self.settings, run=self.cmdb.runs.run, plan=plan, cmdb=cast("Any", self.cmdb), sessions=cast("Any", None),
            store=store, reviews={}, kinds=None, pace=Pace(self.settings.polling),
        )  # fmt: skip

    def bench(self, reference: Any) -> Bench:
        return self.made


def tools(accounts: int, store: FolderStore, options: Options | None = None) -> Tools:
    plan = plan_of(action("app", target=f"{700_000_000_000 + number}/eu-west-1") for number in range(accounts))
    return cast("Tools", FakeTools(plan, store, options))


def test_open_when_there_are_few_batches_then_they_are_items_of_the_state(tmp_path: Path) -> None:
    laid = open_run(tools(100, Bucket(tmp_path)), START)
    assert (laid.way, laid.items, [item.batch for item in laid.batches]) == ("inline", 4, [1, 2, 3, 4])
    assert (laid.size, laid.share, laid.round) == (32, 16, 1)
    assert laid.since is not None


def test_open_when_there_are_many_batches_then_the_items_lie_in_the_bucket(tmp_path: Path) -> None:
    store = Bucket(tmp_path)
    laid = open_run(tools(32 * (MOST_INLINE + 1), store), START)
    assert (laid.way, laid.batches, laid.bucket) == ("distributed", (), "artefacts")
    key = laid.key.removeprefix("core/")
    assert key == "artefacts/web/shop/main/7/runs/run-1/batches-1.0.1.json"
    assert json.loads(store.get(key)) == [{"Batch": number} for number in range(1, MOST_INLINE + 2)]


def test_open_when_the_store_is_a_folder_then_all_batches_are_inline(tmp_path: Path) -> None:
    laid = open_run(tools(32 * (MOST_INLINE + 1), FolderStore(tmp_path)), START)
    assert (laid.way, len(laid.batches)) == ("inline", MOST_INLINE + 1)


def test_open_when_little_may_happen_at_once_then_there_are_no_more_batches_than_that(tmp_path: Path) -> None:
    laid = open_run(tools(100, Bucket(tmp_path), Options(concurrency=2)), START)
    assert (laid.items, laid.size, laid.share) == (2, 50, 1)
    assert open_run(tools(100, Bucket(tmp_path), Options(concurrency=1)), START).items == 1


def test_open_when_the_plan_has_ten_thousand_actions_then_the_state_stays_small(tmp_path: Path) -> None:
    laid = open_run(tools(10_000, Bucket(tmp_path)), START)
    assert laid.items == 64, "no more batches than actions may run at once"
    assert len(json.dumps(laid.as_dict())) < 1_000


def test_open_when_the_run_has_ended_meanwhile_then_it_is_refused(tmp_path: Path) -> None:
    some = cast("FakeTools", tools(1, Bucket(tmp_path)))
    some.made = replace(some.made, run=some.made.run.but(status=RunStatus.CANCELLED))
    with pytest.raises(RunStateError, match="the run is cancelled"):
        open_run(cast("Tools", some), START)


def ends(*left: int, of: int = 4, error: str = "") -> tuple[BatchEnd, ...]:
    return tuple(BatchEnd(batch=n, ended=n not in left, error=error if n in left else "") for n in range(1, of + 1))


def test_settle_when_all_batches_have_ended_then_the_run_is_closed(tmp_path: Path) -> None:
    some = tools(100, Bucket(tmp_path))
    assert settle(some, open_run(some, START).but(results=ends())).way == "close"


def test_settle_when_some_have_not_after_an_inline_map_then_a_fresh_execution_goes_on(tmp_path: Path) -> None:
    some = tools(100, Bucket(tmp_path))
    ahead = settle(some, open_run(some, START).but(results=ends(2)))
    assert (ahead.way, ahead.results, ahead.batches) == ("relay", (), ())


def test_settle_when_some_have_not_after_a_distributed_map_then_the_next_map_takes_only_those(tmp_path: Path) -> None:
    some = tools(32 * 9, Bucket(tmp_path))
    ahead = settle(some, open_run(some, START).but(results=ends(3, 7, of=9)))
    assert (ahead.way, [item.batch for item in ahead.batches], ahead.round) == ("inline", [3, 7], 2)


def test_settle_when_passes_keep_failing_and_nothing_moves_then_it_gives_up_with_the_reason(tmp_path: Path) -> None:
    some = cast("FakeTools", tools(32 * 9, Bucket(tmp_path)))
    known = ErrorInfo(code="CORE-4002", message="the bucket is gone", hint="make it again")
    some.made = replace(some.made, run=some.made.run.but(error=known))
    stuck = open_run(cast("Tools", some), START)
    for _ in range(3):
        stuck = settle(cast("Tools", some), stuck.but(way="distributed", items=9, results=ends(3, of=9, error="ArtefactError")))
    with pytest.raises(RunStateError, match=r"3 \(ArtefactError\): CORE-4002 the bucket is gone") as caught:
        settle(cast("Tools", some), stuck.but(way="distributed", items=9, results=ends(3, of=9, error="ArtefactError")))
    assert caught.value.hint == "make it again"


def test_settle_when_people_are_waited_for_then_it_never_gives_up(tmp_path: Path) -> None:
    some = tools(32 * 9, Bucket(tmp_path))
    waiting = open_run(some, START)
    for _ in range(20):
        waiting = settle(some, waiting.but(way="distributed", items=9, results=ends(3, of=9)))
    assert waiting.way == "inline"


def test_settle_when_the_map_lost_results_then_it_says_so(tmp_path: Path) -> None:
    some = tools(100, Bucket(tmp_path))
    with pytest.raises(RunStateError, match="told of 3 batches, not of 4"):
        settle(some, open_run(some, START).but(results=ends(of=3)))


def test_count_when_actions_have_no_rows_then_they_are_pending() -> None:
    plan = plan_of([action("one"), action("two"), action("three")])
    rows = {
        plan.actions[0].id: ActionState(
            run_id="r", action_id=plan.actions[0].id, status=ActionStatus.SUCCEEDED, changed=True, ended_at=datetime.now(UTC)
        )
    }
    assert count(plan, rows) == {"succeeded": 1, "changed": 1, "pending": 2}


@pytest.mark.parametrize(
    ("task", "word"),
    [
        ({}, "no task"),
        ({"Step": "open", "With": "text"}, "no task"),
        ({"Step": "dance", "With": START.as_dict()}, "asks for 'dance'"),
        ({"Step": "open", "With": {"Client": "acme"}}, "cannot be read"),
        ({"Step": "advance", "With": START.as_dict() | {"Batch": "first"}}, "cannot be read"),
    ],
)
def test_handle_when_it_is_no_such_task_then_it_is_refused(task: dict[str, Any], word: str, tmp_path: Path) -> None:
    with pytest.raises(PayloadError, match=word):
        handle(task, tools(1, Bucket(tmp_path)), 1.0)
