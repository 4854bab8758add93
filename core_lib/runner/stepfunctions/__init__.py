"""The Step Functions executor: the same plan, the same action classes, the same ledger, another engine of waiting.

A state machine (`deployments/stepfunctions`) holds references only: client, run, epoch, batch. Each of its task states is one
call of `handle`, a function from a small document to a small document:

    open      take stock: cut the plan into batches, inline or as a file for a distributed map
    advance   one pass over a batch: do what can be done now, say when to look again (the Wait state does the waiting)
    settle    all batches looked at: go on with those that have not ended, or hand over, or close
    relay     hand over to a fresh execution, before the history of this one is full
    close     final status, end state, end event
    broken    the execution itself cannot go on: say so in the run record

The call comes from Lambda (`aws_lambda.handler`) or from a worker that polls an activity (`ActivityWorker`); both have the same
input and output. `Executions` starts, looks at, stops and redrives executions. Any call may come twice, and beside a first one
that is still at work: rows are versioned, AWS calls carry tokens, the epoch fences.
"""

from core_lib.runner.stepfunctions.executions import Execution, Executions
from core_lib.runner.stepfunctions.handling import handle
from core_lib.runner.stepfunctions.names import execution_name
from core_lib.runner.stepfunctions.places import activity_arn, state_machine_arn
from core_lib.runner.stepfunctions.tools import Tools
from core_lib.runner.stepfunctions.worker import ActivityWorker

__all__ = [
    "ActivityWorker", "Execution", "Executions", "Tools", "activity_arn", "execution_name", "handle", "state_machine_arn",
]  # fmt: skip
