"""The two levels that Python's logging does not have."""

from __future__ import annotations

import logging

TRACE = 5
STATUS = 25

logging.addLevelName(TRACE, "TRACE")
logging.addLevelName(STATUS, "STATUS")
