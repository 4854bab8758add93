"""Failures: what they have in common, what is known about them, whom they keep waiting, and which to try again.

`fingerprint` gives the same failure the same name wherever it happens; `known` says what usually lies behind it and what
helps; `blame` follows the plan's graph from what could not run back to what failed; `selection` turns all that into the set
of actions that a retry takes up.
"""

from core_lib.execute.failures.blame import blamed, tells_of_others
from core_lib.execute.failures.fingerprint import fingerprint, names_of, normalise, root_cause
from core_lib.execute.failures.known import KNOWN_CAUSES, KnownCause, is_transient, known_cause
from core_lib.execute.failures.selection import failure_of, names_failures, selected

__all__ = [
    "KNOWN_CAUSES",
    "KnownCause",
    "blamed",
    "failure_of",
    "fingerprint",
    "is_transient",
    "known_cause",
    "names_failures",
    "names_of",
    "normalise",
    "root_cause",
    "selected",
    "tells_of_others",
]
