"""How long a compile takes: chains of ten stacks over many accounts, and one chain of thousands, all in memory.

Bars: 2,500 target-stacks in 2 s, 10,000 in 8 s, and four times the work takes at most six times as long. cfn-lint is loaded
beforehand (its import takes seconds, once, and only for templates that are new); the templates are linted within the measured
time. Everything else is in it: reading, targets, layers, rendering, checks, wiring, hashing, and the derived plans.
Beside it Sceptre 4.6 lists 500 chained stacks, each of the two as a whole process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.compile.fleet import accounts, facts, package, payload, sceptre_project
from benchmarks.compile.sceptre import sceptre_command
from core_lib.deployspec import Linter, compile_deployspec
from core_lib.framework.models import Task

ROUNDS = int(os.environ.get("COMPILE_ROUNDS", "3"))
SHAPES = ((10, 250, 2.0), (10, 1000, 8.0), (2500, 1, None))
LARGEST_GROWTH = 6.0
CHAIN, ACCOUNTS = 10, 50


def best(work: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and processor seconds of the fastest of some rounds."""
    walls, processors = [], []
    for _ in range(ROUNDS):
        started, ticks = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - started)
        processors.append(time.process_time() - ticks)
    return min(walls), min(processors)


def compile_shape(chain: int, count: int) -> tuple[float, float]:
    """Seconds for one shape, templates linted anew in every round."""
    files, people, request, known = package(chain), accounts(count), payload(), facts()

    def work() -> None:
        made = compile_deployspec(request, package=files, facts=known, accounts=people, linter=Linter())
        if len(made.plan(Task.DEPLOY).actions) != chain * count:
            raise AssertionError("the compile lost actions")

    return best(work)


def whole_process(command: list[str], folder: Path) -> float:
    """Seconds of a whole process, the fastest of some rounds."""

    def work() -> None:
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    return best(work)[0]


def beside_sceptre() -> float:
    """How many times longer Sceptre takes for the same 500 chained stacks, as whole processes."""
    root = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        project = sceptre_project(Path(folder) / "project", CHAIN, ACCOUNTS)
        theirs = whole_process([str(sceptre_command()), "list", "stacks", "."], project)
        ours_command = [sys.executable, "-m", "benchmarks.compile.once", str(CHAIN), str(ACCOUNTS), str(Path(folder) / "lint")]
        whole_process(ours_command, root)
        ours = whole_process(ours_command, root)
    print(f"  500 chained, whole process: {ours:.2f} s here, {theirs:.2f} s for Sceptre: {theirs / ours:.1f} times as long")
    return theirs / ours


def main() -> None:
    """Measure and print; ends with an error when a bar is missed."""
    Linter().lint(b"Resources: {Other: {Type: AWS::SQS::Queue}}\n", ["eu-west-1"])
    missed = []
    seconds = {}
    for chain, count, bar in SHAPES:
        wall, processor = compile_shape(chain, count)
        seconds[chain, count] = processor
        shape = f"{chain * count:,} target-stacks ({chain:,} x {count:,})"
        print(f"  {shape:<36} {wall:6.2f} s wall, {processor:6.2f} s processor", flush=True)
        if bar is not None and wall > bar:
            missed.append(f"{shape} took {wall:.2f} s, the bar is {bar:g} s")
    growth = seconds[10, 1000] / seconds[10, 250]
    print(f"  growth from 2,500 to 10,000: {growth:.1f} (linear is 4)")
    if growth > LARGEST_GROWTH:
        missed.append(f"four times the stacks take {growth:.1f} times as long")
    if beside_sceptre() < 1:
        missed.append("Sceptre is faster")
    if missed:
        raise SystemExit("\n".join(f"  MISSED: {line}" for line in missed))


if __name__ == "__main__":
    main()
