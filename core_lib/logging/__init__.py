"""Layer 1, logging: structured lines that name their run and their place.

    configure(settings)
    log = get_logger(__name__)
    with bind(correlation_id="20261123-071500-ab12cd", prn="prn:payments:ledger"):
        log.status("DEPLOY_RUNNING", "deploying 120 targets", details={"targets": 120})
        log.info("stack created", stack="net")

Levels: TRACE (5) for what even DEBUG hides, STATUS (25) for the story of a run. STATUS lies between INFO and WARNING:
whoever asks for warnings only does not want the story, and whoever wants less than INFO still gets it. Secrets are masked
on every line, in whatever library wrote it.
"""

from core_lib.framework.redaction import redact, redact_text
from core_lib.logging.context import ContextExecutor, bind, bound, in_context
from core_lib.logging.levels import STATUS, TRACE
from core_lib.logging.logger import CoreLogger, get_logger
from core_lib.logging.output import configure

__all__ = [
    "STATUS", "TRACE", "ContextExecutor", "CoreLogger", "bind", "bound", "configure", "get_logger", "in_context", "redact",
    "redact_text",
]  # fmt: skip
