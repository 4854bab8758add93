"""Where the details of an unexpected error go, so that the terminal stays readable."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path


def write_crash(error: BaseException, state_dir: Path) -> Path:
    """Write the traceback to `logs/cli-errors.log` in the state folder if there is one, else to a new temporary file.

    The arguments are left out on purpose: settings given on the command line may be secrets.
    """
    text = "".join(traceback.format_exception(error))
    entry = f"{datetime.now(UTC).isoformat()} python {platform.python_version()} command {sys.argv[1:2]}\n{text}\n"
    if state_dir.is_dir():
        path = state_dir / "logs" / "cli-errors.log"
        try:
            path.parent.mkdir(exist_ok=True)
            with path.open("a", encoding="utf-8") as log:
                log.write(entry)
        except OSError as refused:
            entry += f"(the state folder could not be written: {refused})\n"
        else:
            return path
    with tempfile.NamedTemporaryFile("w", prefix="core-cli-", suffix=".log", delete=False, encoding="utf-8") as temporary:
        temporary.write(entry)
    return Path(temporary.name)
