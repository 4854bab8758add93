"""The messages that travel between rooms, one pydantic model each."""

from core_lib.framework.models.action import ActionSpec, Cause, Dependency, Hook, Retry
from core_lib.framework.models.approval import Approval, ApprovalStatus, Decision, Verdict
from core_lib.framework.models.base import Message
from core_lib.framework.models.drift import DriftStatus, PropertyDrift, ResourceDrift, StackDrift
from core_lib.framework.models.freeze import FreezeWindow, Period, frozen_at, next_freeze
from core_lib.framework.models.payload import DeploymentDetails, InlineSpec, Options, PackageDetails, Task, TaskPayload
from core_lib.framework.models.plan import FileRef, Plan, PlanAction, PlanComponent, Provenance, action_id
from core_lib.framework.models.prn import LEVELS, Level, Prn, branch_short_name, short_name_collisions
from core_lib.framework.models.review import PropertyChange, ResourceChange, StackReview
from core_lib.framework.models.run import ActionState, ActionStatus, ErrorInfo, RunState, RunStatus
from core_lib.framework.models.selection import Exclusion, Selection
from core_lib.framework.models.target import Account, AccountState, SkippedTarget, Target
from core_lib.framework.models.tolerance import Tolerance, tolerated
from core_lib.framework.models.wave import REST, ApprovalGate, Gate, PlanWave, Wave

__all__ = [
    "LEVELS",
    "REST",
    "Account",
    "AccountState",
    "ActionSpec",
    "ActionState",
    "ActionStatus",
    "Approval",
    "ApprovalGate",
    "ApprovalStatus",
    "Cause",
    "Decision",
    "Dependency",
    "DeploymentDetails",
    "DriftStatus",
    "ErrorInfo",
    "Exclusion",
    "FileRef",
    "FreezeWindow",
    "Gate",
    "Hook",
    "InlineSpec",
    "Level",
    "Message",
    "Options",
    "PackageDetails",
    "Period",
    "Plan",
    "PlanAction",
    "PlanComponent",
    "PlanWave",
    "Prn",
    "PropertyChange",
    "PropertyDrift",
    "Provenance",
    "ResourceChange",
    "ResourceDrift",
    "Retry",
    "RunState",
    "RunStatus",
    "Selection",
    "SkippedTarget",
    "StackDrift",
    "StackReview",
    "Target",
    "Task",
    "TaskPayload",
    "Tolerance",
    "Verdict",
    "Wave",
    "action_id",
    "branch_short_name",
    "frozen_at",
    "next_freeze",
    "short_name_collisions",
    "tolerated",
]
