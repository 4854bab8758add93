"""Random graphs, random failures: what is true of every run."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core_lib.framework.models import ActionStatus, Options, PlanAction
from tests.builders.memory_cmdb import MemoryCmdb
from tests.builders.plans import HERE, action, plan_of
from tests.unit.execute.engines import World, drive_all

PLACES = [HERE, "222222222222/eu-west-1"]


@st.composite
def stories(draw: st.DrawFn) -> list[PlanAction]:
    made: list[PlanAction] = []
    for number in range(draw(st.integers(1, 10))):
        upstream = draw(st.lists(st.sampled_from(made), max_size=3, unique_by=lambda each: each.id)) if made else []
        made.append(
            action(
                f"a{number}",
                "TEST::Script",
                target=draw(st.sampled_from(PLACES)),
                after=[each.id for each in upstream],
                on_failure=draw(st.sampled_from(["stop", "stop", "continue"])),
                spec={"Fails": draw(st.integers(0, 4)) == 0, "Looks": draw(st.integers(0, 2))},
                condition=draw(st.sampled_from([None, None, None, "false"])),
            )
        )
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stories(), st.integers(1, 5), st.sampled_from([0, 2]))
async def test_run_when_anything_may_fail_then_the_invariants_hold(actions: list[PlanAction], cap: int, tolerance: int) -> None:
    cmdb = MemoryCmdb(Options(tolerance=tolerance, concurrency=cap))
    world = World()
    plan = plan_of(actions)
    await drive_all(plan, cmdb, world)
    rows = cmdb.ledger.load("run-1")
    assert set(rows) == {each.id for each in actions}, "every action ends"
    assert all(row.status.ended for row in rows.values())
    assert world.most_running <= cap
    assert sum(cmdb.runs.beats[-1].get(status, 0) for status in ActionStatus) == len(actions)
    starts = {who: number for number, (what, who) in enumerate(world.log) if what == "start"}
    finishes = {who: number for number, (what, who) in enumerate(world.log) if what == "end"}
    for each in actions:
        row = rows[each.id]
        bad = [d for d in each.depends_on if not _satisfied(plan.action_by_id[d], rows[d].status)]
        if row.status in (ActionStatus.SUCCEEDED, ActionStatus.FAILED):
            assert not bad, "nothing starts after an upstream that did not come to a good end"
            assert all(finishes[d] < starts[each.id] for d in each.depends_on if d in finishes)
        if bad:
            assert row.status is ActionStatus.BLOCKED
        if row.status is ActionStatus.BLOCKED and not bad:
            assert (row.message or "").startswith("not started:"), "blocked only by an upstream or by the tolerance"
        assert (row.status is ActionStatus.BLOCKED) == (each.id not in starts and row.status is not ActionStatus.SKIPPED)


def _satisfied(upstream: PlanAction, status: ActionStatus) -> bool:
    return status in (ActionStatus.SUCCEEDED, ActionStatus.SKIPPED) or (
        status is ActionStatus.FAILED and upstream.on_failure == "continue"
    )
