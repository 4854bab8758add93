"""Layer 3, execute: drives a plan to its end against AWS. It knows actions and targets, not deployspecs or components.

A plan is a graph of actions. `units` cuts it into pieces of work, one per target (and segment, where actions wait for other
targets). An `Engine` holds what the units of a run share: the ledger writer that commits many rows at once, the caps, the
heartbeat, the brake. `Engine.drive(unit)` starts each action the moment its dependencies have ended: the row says `running`
before `start` is called, every change of an action's scratch is written before the next step, and the end is written with its
outputs. A killed worker therefore loses nothing: the next one takes the run over with a higher epoch, checks what is running
and goes on.

An action kind is one class in one file under `actions/`; its methods return at once, waiting is the engine's business.
"""

from core_lib.execute.action import Action, ActionContext, ClientFactory, RunMemory, token_for
from core_lib.execute.batches import Batch, make_batches
from core_lib.execute.driver import Around
from core_lib.execute.engine import Engine, UnitResult
from core_lib.execute.failures import normalise
from core_lib.execute.graph import Unit, check_acyclic, find_cycle, order, segments, units
from core_lib.execute.kinds import canonical_kind, catalogue, find_kind
from core_lib.execute.memory import run_prefix
from core_lib.execute.parameters import build_params, json_schema, validate_spec
from core_lib.execute.parts import Pace
from core_lib.execute.passes import PassResult, make_pass
from core_lib.execute.policy import partition_of
from core_lib.execute.preflight import Finding, FindingGroup, PreflightReport, read_preflight
from core_lib.execute.reference import reference_markdown
from core_lib.execute.shift import Shift
from core_lib.execute.stacks.before import StackBefore
from core_lib.execute.stacks.diagnosis import failure_causes, stack_changes_waiting
from core_lib.execute.steps import Again, Done, Failed, Step

__all__ = [
    "Action",
    "ActionContext",
    "Again",
    "Around",
    "Batch",
    "ClientFactory",
    "Done",
    "Engine",
    "Failed",
    "Finding",
    "FindingGroup",
    "Pace",
    "PassResult",
    "PreflightReport",
    "RunMemory",
    "Shift",
    "StackBefore",
    "Step",
    "Unit",
    "UnitResult",
    "build_params",
    "canonical_kind",
    "catalogue",
    "check_acyclic",
    "failure_causes",
    "find_cycle",
    "find_kind",
    "json_schema",
    "make_batches",
    "make_pass",
    "normalise",
    "order",
    "partition_of",
    "read_preflight",
    "reference_markdown",
    "run_prefix",
    "segments",
    "stack_changes_waiting",
    "token_for",
    "units",
    "validate_spec",
]
