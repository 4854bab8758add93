"""How soon `core --help` answers, beside a bare interpreter and beside typer alone saying the same. The bar is 0.4 s."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 7
TYPER_ALONE = "import typer; app = typer.Typer(); app.command()(lambda: None); app(['--help'], standalone_mode=False)"
COMMANDS = {
    "core --help": [str(Path(sys.executable).with_name("core")), "--help"],
    "typer alone": [sys.executable, "-c", TYPER_ALONE],
    "python": [sys.executable, "-c", "pass"],
}


def main() -> None:
    """Measure in turn, and print medians."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            times[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(each) for name, each in times.items()}
    print("  " + ", ".join(f"{name} {seconds:.3f} s" for name, seconds in medians.items()))
    print(f"  core / typer alone: {medians['core --help'] / medians['typer alone']:.2f}")


if __name__ == "__main__":
    main()
