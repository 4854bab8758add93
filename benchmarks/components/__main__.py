"""How long a compile of components takes: 200 and 2,000 components of seven types, from YAML to sealed plans, in memory.

Bars: 200 in 3 s, 2,000 in 25 s, and ten times the components take at most thirteen times as long. Measured is everything but
cfn-lint: reading, rendering, checks, functions, security, templates, guard rails, five plans and their hashes. cfn-lint comes
after, on 2,000 components whose templates it has never seen: it must cost no more than their different shapes.
Floor: reading the same definitions with PyYAML and the templates as JSON. Peer: rendering the templates as plain Jinja texts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from benchmarks.components.floor import PlainJinja, read_and_write
from benchmarks.components.shop import accounts, definitions, facts, package, payload
from core_lib.component import compile_components
from core_lib.deployspec import Compilation, Linter
from core_lib.framework.models import Task

ROUNDS = int(os.environ.get("COMPILE_ROUNDS", "3"))
BARS = {200: 3.0, 2000: 25.0}
LARGEST_GROWTH = 13.0


def best(work: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and processor seconds of the fastest of some rounds."""
    walls, processors = [], []
    for _ in range(ROUNDS):
        started, ticks = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - started)
        processors.append(time.process_time() - ticks)
    return min(walls), min(processors)


def compiled(count: int, linter: Linter | None = None) -> Compilation:
    """One compile."""
    made = compile_components(payload(), package=package(count), facts=facts(), accounts=accounts(), linter=linter)
    if len({action.name.partition(".")[0] for action in made.plan(Task.DEPLOY).actions}) < count:
        raise AssertionError("the compile lost components")
    return made


def texts(made: Compilation) -> list[tuple[str, str]]:
    """Component and text of every template."""
    paths = {file.key: file.path for file in made.plan(Task.DEPLOY).files}
    return [(path.partition("/")[0], made.files[key].decode()) for key, path in sorted(paths.items()) if key in made.files]


def beside(count: int, ours: float) -> None:
    """Print how much longer a compile takes than reading and writing, and than plain texts."""
    bodies = texts(compiled(count))
    files = definitions(count)
    floor = best(lambda: read_and_write(files, [body for _, body in bodies]))[1]
    plain = PlainJinja(bodies)
    peer = best(plain.render)[1]
    print(f"  floor, YAML and JSON alone: {floor:.2f} s: {ours / floor:.1f} times as long here")
    print(f"  plain Jinja texts, rendered and parsed, nothing checked: {peer:.2f} s: {ours / peer:.1f} times as long here")


def main() -> None:
    """Measure and print; ends with an error when a bar is missed."""
    compiled(200)
    missed, seconds = [], {}
    for count, bar in BARS.items():
        wall, seconds[count] = best(lambda count=count: compiled(count))  # type: ignore[misc]
        each = seconds[count] / count * 1000
        print(f"  {count:>5,} components: {wall:6.2f} s wall, {seconds[count]:6.2f} s processor, {each:.1f} ms each", flush=True)
        if wall > bar:
            missed.append(f"{count:,} components took {wall:.2f} s, the bar is {bar:g} s")
    growth = seconds[2000] / seconds[200]
    print(f"  growth from 200 to 2,000: {growth:.1f} (linear is 10)")
    if growth > LARGEST_GROWTH:
        missed.append(f"ten times the components take {growth:.1f} times as long")
    beside(2000, seconds[2000])
    Linter().lint(b"Resources: {Other: {Type: AWS::SQS::Queue}}\n", ["eu-west-1"])
    ticks = time.process_time()
    compiled(2000, Linter())
    print(f"  2,000 components, cfn-lint on templates that it has never seen: {time.process_time() - ticks:.2f} s processor")
    if missed:
        raise SystemExit("\n".join(f"  MISSED: {line}" for line in missed))


if __name__ == "__main__":
    main()
