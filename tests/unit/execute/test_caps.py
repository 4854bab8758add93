"""Places that are scarce go to the chains that are behind."""

from __future__ import annotations

import asyncio

from core_lib.execute.caps import Caps
from core_lib.execute.graph import ranks
from tests.builders.plans import HERE, action

THERE = "222222222222/eu-west-1"


def test_ranks_when_chains_differ_in_length_then_each_action_counts_what_waits_for_it() -> None:
    chain = [action("a"), action("b", after=["a"]), action("c", after=["b", "x"]), action("x"), action("y", target=THERE)]
    found = ranks([*chain, action("far", target=THERE, after=[f"c@{HERE}"])])
    assert [found[f"{name}@{HERE}"] for name in ("a", "b", "c", "x")] == [3, 2, 1, 2]
    assert found[f"y@{THERE}"] == found[f"far@{THERE}"] == 0


async def test_slot_when_it_becomes_free_then_the_highest_rank_gets_it_and_equals_in_their_order() -> None:
    caps, began = Caps(1, None, None), []

    async def one(name: str, rank: int) -> None:
        async with caps.slot(HERE, rank):
            began.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(*(one(*each) for each in (("first", 0), ("low", 1), ("high", 3), ("low too", 1), ("higher", 4))))
    assert began == ["first", "higher", "high", "low", "low too"]


async def test_slot_when_whoever_waits_for_it_is_cancelled_then_it_is_not_lost() -> None:
    caps = Caps(1, None, None)

    async def hold(until: asyncio.Event) -> None:
        async with caps.slot(HERE):
            await until.wait()

    free, never = asyncio.Event(), asyncio.Event()
    holder, waiting = asyncio.create_task(hold(free)), asyncio.create_task(hold(never))
    await asyncio.sleep(0)
    free.set()
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(holder, waiting, return_exceptions=True)
    async with asyncio.timeout(1), caps.slot(HERE):
        pass


async def test_slots_when_an_account_is_capped_then_others_go_ahead() -> None:
    caps, most = Caps(10, 1, None), 0
    busy: dict[str, int] = {HERE: 0, THERE: 0}

    async def one(target: str) -> None:
        nonlocal most
        async with caps.slot(target):
            busy[target] += 1
            assert busy[target] == 1
            most = max(most, sum(busy.values()))
            await asyncio.sleep(0.001)
            busy[target] -= 1

    await asyncio.gather(*(one(target) for target in (HERE, HERE, THERE, THERE)))
    assert most == 2
