"""`python -m deployments.localstack`: prepare LocalStack and run it until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from deployments.localstack import LocalStack, Unavailable, prepare


def main() -> int:
    """Run as asked on the command line; 69 when this machine lacks something."""
    parser = argparse.ArgumentParser(prog="python -m deployments.localstack", description="LocalStack without Docker")
    parser.add_argument("--workdir", type=Path, default=Path(".localstack"))
    parser.add_argument("--port", type=int, default=4566)
    parser.add_argument("--prepare-only", action="store_true", help="install, but do not start")
    options = parser.parse_args()
    for wish in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wish, signal.default_int_handler)
    try:
        if options.prepare_only:
            print(f"LocalStack {prepare(options.workdir).version} is ready in {options.workdir}")
            return 0
        with LocalStack(options.workdir, options.port) as stack:
            print(f"LocalStack answers at {stack.endpoint}; Ctrl-C ends it", flush=True)
            return stack.wait()
    except Unavailable as missing:
        print(f"LocalStack cannot run here: {missing}", file=sys.stderr)
        return 69
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
