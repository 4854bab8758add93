"""What is bound follows the work: into tasks, threads and pools, and nowhere else."""

from __future__ import annotations

import asyncio
import threading

from core_lib.logging import ContextExecutor, bind, bound, in_context


def test_bind_when_block_ends_then_former_values_return() -> None:
    with bind(correlation_id="outer", prn="prn:a"):
        with bind(correlation_id="inner"):
            assert bound() == {"correlation_id": "inner", "prn": "prn:a"}
        assert bound() == {"correlation_id": "outer", "prn": "prn:a"}
    assert bound() == {}


def test_bind_when_block_fails_then_former_values_return() -> None:
    try:
        with bind(correlation_id="x"):
            raise ValueError
    except ValueError:
        assert bound() == {}


async def test_bound_values_follow_to_thread_and_stay_in_their_task() -> None:
    async def work(name: str) -> str:
        bind(correlation_id=name)
        await asyncio.sleep(0)
        return (await asyncio.to_thread(bound))["correlation_id"]

    assert await asyncio.gather(*(work(name) for name in "abc")) == ["a", "b", "c"]
    assert bound() == {}


async def test_context_executor_takes_the_context_along_also_from_the_loop() -> None:
    with ContextExecutor(2) as pool:
        with bind(correlation_id="run-1"):
            assert pool.submit(bound).result() == {"correlation_id": "run-1"}
            assert await asyncio.get_running_loop().run_in_executor(pool, bound) == {"correlation_id": "run-1"}
        assert pool.submit(bound).result() == {}


def test_context_executor_when_job_binds_then_the_next_one_does_not_see_it() -> None:
    def leak() -> None:
        bind(correlation_id="leaked")

    with ContextExecutor(1) as pool:
        pool.submit(leak).result()
        assert pool.submit(bound).result() == {}


def test_in_context_may_run_in_many_threads_at_once() -> None:
    with bind(correlation_id="run-1"):
        function = in_context(bound)
    found: list[dict[str, str]] = []
    threads = [threading.Thread(target=lambda: found.append(function())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [{"correlation_id": "run-1"}] * 4
