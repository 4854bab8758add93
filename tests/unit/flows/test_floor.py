"""The shop floor: units wait for those upstream, sub-flows are started a few at a time."""

from __future__ import annotations

import asyncio

import pytest

from core_lib.execute import Batch
from tasks.floor import UNITS_PER_SLOT, Floor
from tests.unit.flows.builders import unit


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_turn_when_upstream_has_not_ended_then_the_unit_waits() -> None:
    hub = unit(0)
    spoke = unit(1, 1, upstream=(hub.key,))
    floor = Floor([Batch(1, "hub", (hub,)), Batch(2, "spoke", (spoke,))], writers=2, slots=8)
    order: list[str] = []

    async def work(one, name: str) -> None:
        async with floor.turn(one):
            order.append(name)

    waiting = asyncio.create_task(work(spoke, "spoke"))
    await settle()
    assert order == []
    await work(hub, "hub")
    await waiting
    assert order == ["hub", "spoke"]


async def test_turn_when_upstream_ended_with_an_error_then_the_unit_may_go_on() -> None:
    hub = unit(0)
    spoke = unit(1, 1, upstream=(hub.key,))
    floor = Floor([Batch(1, "all", (hub, spoke))], writers=1, slots=8)
    with pytest.raises(ValueError, match="lost"):
        async with floor.turn(hub):
            raise ValueError("lost")
    async with asyncio.timeout(1), floor.turn(spoke):
        pass


async def test_left_when_a_sub_flow_never_ran_its_units_then_nobody_waits_for_them() -> None:
    hub = unit(0)
    spoke = unit(1, 1, upstream=(hub.key,))
    floor = Floor([Batch(1, "hub", (hub,)), Batch(2, "spoke", (spoke,))], writers=1, slots=8)
    await floor.changing(1)
    floor.left(1)
    await asyncio.wait_for(floor.changing(2), 1)
    async with asyncio.timeout(1), floor.turn(spoke):
        pass


async def test_changing_when_two_may_begin_then_the_third_waits_until_one_has_begun() -> None:
    floor = Floor([Batch(n, str(n), (unit(n),)) for n in (1, 2, 3)], writers=2, slots=8)
    await floor.changing(1)
    await floor.changing(2)
    third = asyncio.create_task(floor.changing(3))
    await settle()
    assert not third.done()
    floor.changed(1)
    floor.changed(1)
    await asyncio.wait_for(third, 1)


async def test_turn_when_all_slots_are_taken_then_the_next_unit_waits() -> None:
    units = tuple(unit(n) for n in range(UNITS_PER_SLOT + 1))
    floor = Floor([Batch(1, "all", units)], writers=1, slots=1)
    busy = most = 0

    async def work(one) -> None:
        nonlocal busy, most
        async with floor.turn(one):
            busy += 1
            most = max(most, busy)
            await settle()
            busy -= 1

    await asyncio.gather(*(work(one) for one in units))
    assert most == UNITS_PER_SLOT
