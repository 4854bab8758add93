"""Two runs want the same stacks at once: one waits or is refused, and what they do to a stack never interleaves."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import defaultdict
from itertools import groupby, pairwise
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from core_lib.framework.models import ActionState, ActionStatus, RunState, RunStatus
from tests.e2e.children import Line, Worker, run_to_end
from tests.e2e.conftest import MakeFleet
from tests.e2e.fleet import CHAIN, HOME, Fleet, fleet_spec, stack, template
from tests.e2e.worker import execute


async def at_once(*runs: RunState, apart: float = 0.0) -> tuple[list[RunState], list[Line]]:
    """Execute these runs side by side, each begun a moment after the one before; how they ended, and all they told."""
    told: list[Line] = []

    async def one(run: RunState, delay: float) -> RunState:
        await asyncio.sleep(delay)
        return await execute("acme", run.run_id, lambda line: told.append({"teller": run.run_id, **line}))

    ended = await asyncio.gather(*(one(run, apart * number) for number, run in enumerate(runs)))
    return list(ended), told


def owners(told: list[Line]) -> dict[str, list[str]]:
    """For each stack, the runs that changed it, in the order of their calls; a run in a row counts once."""
    calls: dict[str, list[Line]] = defaultdict(list)
    for line in told:
        if "call" in line:
            calls[line["stack"]].append(line)
    for listed in calls.values():
        listed.sort(key=lambda line: line["began"])
    return {name: [run for run, _ in groupby(line["run"] for line in listed)] for name, listed in calls.items()}


def assert_apart(fleet: Fleet, told: list[Line]) -> None:
    """No stack saw a call of one run while another run was at it: from its first call to the end of its action."""
    for name, runs in owners(told).items():
        assert len(runs) == len(set(runs)), f"{name} was changed by turns: {runs}"
        target, _, short = name.rpartition("/")
        for earlier, later in pairwise(runs):
            row = row_of(fleet, earlier, short, target)
            first = min(line["began"] for line in told if line.get("stack") == name and line["run"] == later)
            assert row.ended_at is not None
            assert row.ended_at.timestamp() <= first, f"{later} began on {name} before {earlier} was done"


def row_of(fleet: Fleet, run_id: str, name: str, target: str) -> ActionState:
    """The row of the action that makes this stack; actions are called like their stacks, some with a word before."""
    (row,) = (row for row in fleet.cmdb.ledger.load(run_id).values() if row.action_id.endswith(f"{name}@{target}"))
    return row


def values(fleet: Fleet) -> dict[str, str]:
    """The parameter of every stack."""
    return {key: each["Parameters"][0]["ParameterValue"] for key, each in fleet.stacks().items()}


@pytest.mark.parametrize("apart", [0.0, 0.15, pytest.param(0.6, marks=pytest.mark.slow)])
async def test_two_runs_when_they_wait_for_each_other_then_each_stack_sees_one_after_the_other(
    make_fleet: MakeFleet, apart: float
) -> None:
    fleet = make_fleet(2)
    hub = fleet.accounts[0].id
    first, second = fleet.register(fleet_spec(hub, "one")), fleet.register(fleet_spec(hub, "two"), "ben")
    ended, told = await at_once(first, second, apart=apart)
    assert [run.status for run in ended] == [RunStatus.SUCCEEDED] * 2
    assert_apart(fleet, told)
    contested = owners(told)
    assert sorted(contested) == sorted(values(fleet))
    assert any(len(runs) == 2 for runs in contested.values()), "the runs have not met"
    last = {name: "one" if runs[-1] == first.run_id else "two" for name, runs in contested.items()}
    for name, value in values(fleet).items():
        if name.rpartition("/")[2] in ("hub", "base"):
            assert value == last[name]


async def test_run_when_told_to_refuse_then_it_fails_with_the_name_of_the_holder_and_exit_code_4(
    make_fleet: MakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = make_fleet(1)
    holder, rival = gated(fleet, "one"), gated(fleet, "two", "ben", when_locked="refuse")
    told: list[Line] = []
    holding = asyncio.create_task(execute("acme", holder.run_id, told.append))
    await under_way(fleet)
    ended = await execute("acme", rival.run_id, told.append)
    await let_go(fleet)
    assert (await holding).status is RunStatus.SUCCEEDED

    assert ended.status is RunStatus.FAILED
    (row,) = fleet.cmdb.ledger.load(rival.run_id).values()
    since = fleet.cmdb.ledger.load(holder.run_id)[row.action_id].started_at
    assert row.error is not None
    assert since is not None
    assert row.error.code == "CORE-5001"
    assert f"run {holder.run_id} of ann holds this stack since {since:%Y-%m-%d %H:%M}" in row.error.message
    assert f"core runs cancel {holder.run_id}" in str(row.error.hint)
    assert owners(told) == {f"{fleet.accounts[0].id}/{HOME}/base": [holder.run_id]}
    monkeypatch.setenv("CORE_CLIENT", "acme")
    shown = await asyncio.to_thread(CliRunner().invoke, app, ["runs", "watch", rival.run_id])
    assert shown.exit_code == 4, shown.output
    assert holder.run_id in shown.output


async def test_runs_when_their_stacks_overlap_in_opposite_orders_then_all_end(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(2)
    one, two = (account.id for account in fleet.accounts)
    runs = []
    for number, (ahead, behind) in enumerate(((one, two), (two, one), (one, two), (two, one))):
        names = CHAIN if number % 2 else tuple(reversed(CHAIN))
        runs.append(fleet.register(crossed(names, ahead, behind, str(number))))
    ended, told = await asyncio.wait_for(at_once(*runs, apart=0.02), 60)
    assert [run.status for run in ended] == [RunStatus.SUCCEEDED] * 4
    assert_apart(fleet, told)


def crossed(names: tuple[str, ...], ahead: str, behind: str, value: str) -> str:
    """Stacks in this order in one account, then the same ones in another account, which waits for the first."""
    text = f"Targets: {{Accounts: ['{ahead}'], Regions: [{HOME}]}}\nActions:\n"
    before = ""
    for place, account in (("near", ahead), ("far", behind)):
        for name in names:
            entry = stack(name, value, f"Targets: {{Accounts: ['{account}'], Regions: [{HOME}]}}", *([before] if before else []))
            text += entry.replace(f"- Name: {name}", f"- Name: {place}-{name}", 1)
            before = f"DependsOn: [{place}-{name}]"
    return text


def test_holder_when_it_wakes_up_after_another_run_took_its_stack_then_it_is_fenced_and_writes_nothing(
    make_fleet: MakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_CMDB__LOCK_LEASE_SECONDS", "3")
    fleet = make_fleet(1)
    sleeper, rival = gated(fleet, "one"), gated(fleet, "two", "ben")
    with Worker("acme", sleeper.run_id) as worker:
        asyncio.run(under_way(fleet))
        worker.send(signal.SIGSTOP)
        taken_over(fleet, rival)
        before = memory(fleet, sleeper)
        woken = time.time()
        worker.send(signal.SIGCONT)
        assert worker.wait() == 2
    assert worker.told("error")[-1]["error"]["Code"] == "CORE-5004"
    assert [line for line in worker.told("beginning") if line["beginning"]["began"] >= woken] == []
    assert memory(fleet, sleeper) == before
    assert set(values(fleet).values()) == {"two"}

    again = run_to_end("acme", sleeper.run_id)
    assert again.wait() == 0, again.lines
    assert set(values(fleet).values()) == {"one"}
    unchanged = run_to_end("acme", gated(fleet, "two", "ben").run_id)
    assert unchanged.wait() == 0
    assert set(values(fleet).values()) == {"two"}, "what a fenced worker believed must not pass for what was deployed"


def test_holder_when_it_was_killed_then_its_lock_ends_with_its_lease_and_it_can_be_resumed_later(
    make_fleet: MakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_CMDB__LOCK_LEASE_SECONDS", "3")
    fleet = make_fleet(1)
    dead, rival = gated(fleet, "one"), gated(fleet, "two", "ben")
    with Worker("acme", dead.run_id) as worker:
        asyncio.run(under_way(fleet))
        assert worker.kill()
    killed = time.time()
    taken_over(fleet, rival)
    assert time.time() - killed >= 2, "a holder counts as alive for its lease"
    assert run_to_end("acme", dead.run_id).wait() == 0
    (row,) = fleet.cmdb.ledger.load(dead.run_id).values()
    assert (row.status, row.outputs["Value"]) == (ActionStatus.SUCCEEDED, "one")
    assert set(values(fleet).values()) == {"one"}


def gated(fleet: Fleet, value: str, who: str = "ann", **options: Any) -> RunState:
    """A run that makes one stack, which stays in progress until it is let go."""
    fleet.templates["base.json"] = template("base", gated=True)
    text = f"Targets: {{OrganizationalUnits: [/workloads], Regions: [{HOME}]}}\nActions:\n" + stack("base", value)
    return fleet.register(text, who, **options)


async def under_way(fleet: Fleet) -> None:
    """Wait until a stack of the fleet is being created."""
    for _ in range(600):
        if any(each["StackStatus"] == "CREATE_IN_PROGRESS" for each in (await asyncio.to_thread(fleet.stacks)).values()):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("no stack is being created")


async def let_go(fleet: Fleet) -> None:
    """Let go what is in progress, as soon as it waits."""
    for _ in range(600):
        if await asyncio.to_thread(fleet.open_gates):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("no stack waits to be let go")


def taken_over(fleet: Fleet, rival: RunState) -> None:
    """See the rival to a good end; it has to wait for the other's creation, which is let go when it holds the lock."""
    key = f"{fleet.accounts[0].id}/{HOME}/base"
    with Worker("acme", rival.run_id) as worker:
        for _ in range(600):
            if fleet.cmdb.locks.holders([key])[key].run_id == rival.run_id:
                break
            time.sleep(0.05)
        asyncio.run(let_go(fleet))
        assert worker.wait() == 0, (worker.lines[-3:], worker.errors)


def memory(fleet: Fleet, run: RunState) -> tuple[Any, ...]:
    """Everything a worker of this run writes."""
    target = f"{fleet.accounts[0].id}/{HOME}"
    return fleet.cmdb.runs.get(run.run_id), fleet.cmdb.ledger.load(run.run_id), fleet.cmdb.stacks.get_many(target)
