"""The messages that travel between rooms, one pydantic model each."""

from core_lib.framework.models.action import ActionSpec, Cause, Dependency, Hook, Retry
from core_lib.framework.models.approval import Approval, ApprovalStatus, Decision, Verdict
from core_lib.framework.models.base import Message
from core_lib.framework.models.drift import DriftStatus, PropertyDrift, ResourceDrift, StackDrift
from core_lib.framework.models.payload import (
    DeploymentDetails,
    Exclusion,
    InlineSpec,
    Options,
    PackageDetails,
    Selection,
    Task,
    TaskPayload,
)
from core_lib.framework.models.plan import FileRef, Plan, PlanAction, Provenance, action_id
from core_lib.framework.models.prn import LEVELS, Level, Prn, branch_short_name, short_name_collisions
from core_lib.framework.models.review import PropertyChange, ResourceChange, StackReview
from core_lib.framework.models.run import ActionState, ActionStatus, ErrorInfo, RunState, RunStatus
from core_lib.framework.models.target import Account, AccountState, SkippedTarget, Target

__all__ = [
    "LEVELS",
    "Account",
    "AccountState",
    "ActionSpec",
    "ActionState",
    "ActionStatus",
    "Approval",
    "ApprovalStatus",
    "Cause",
    "Decision",
    "Dependency",
    "DeploymentDetails",
    "DriftStatus",
    "ErrorInfo",
    "Exclusion",
    "FileRef",
    "Hook",
    "InlineSpec",
    "Level",
    "Message",
    "Options",
    "PackageDetails",
    "Plan",
    "PlanAction",
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
    "Verdict",
    "action_id",
    "branch_short_name",
    "short_name_collisions",
]
