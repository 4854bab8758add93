"""Names of executions: unique, at most 80 characters, of letters, digits and dashes only.

Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

from __future__ import annotations

import hashlib

LONGEST = 80
_RUN_ID = 48


def execution_name(client: str, run_id: str, epoch: int, relays: int = 0) -> str:
    """Name of an execution: the run as people know it, its epoch (a resumed run has a new one), and how often it was relayed.

    Runs of two clients may have the same name and a very long name is cut, so a digest of everything ends it.
    """
    identity = "\n".join((client, run_id, str(epoch), str(relays)))
    digest = hashlib.sha256(identity.encode()).hexdigest()[:10]
    return f"{run_id[:_RUN_ID]}-e{epoch % 10**6}-r{relays % 10**6}-{digest}"
