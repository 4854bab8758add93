"""Log lines of a flow process: all of them through the platform's own handler, once, with its masking."""

from __future__ import annotations

import logging

from prefect.logging.handlers import PrefectConsoleHandler

from core_lib.framework.settings import Settings
from core_lib.logging import configure


def configure_lines(settings: Settings) -> None:
    """Send the lines of this process where the settings say, Prefect's included.

    Prefect's own console handler goes, or every line came twice. A line per ended Prefect task says nothing that its state does
    not say, and costs a call of the API each in large runs, and the engine only repeats links: those loggers keep warnings only.
    """
    configure(settings)
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, PrefectConsoleHandler)]:
        root.removeHandler(handler)
    for name in ("prefect.task_runs", "prefect.engine"):
        logging.getLogger(name).setLevel(logging.WARNING)
