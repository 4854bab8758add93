"""Layer 4, report: what a run did, said so that a person finds the one thing that matters.

The ledger, the plan and the run record go in; a `RunSummary` or a `PlanReview` comes out, as data. Failures are grouped by what
went wrong (`fingerprint`), not by where; changes are grouped by what would happen, so that 120 targets with the same change read
as one. `text` and `markdown` lay the same data out for people, `render_json` for machines. Nothing here calls anybody.
"""

from core_lib.execute.failures import fingerprint, normalise
from core_lib.report.drift import (
    DriftGroup,
    DriftReport,
    drift_groups,
    drift_headline,
    drift_report,
    group_id,
    render_drift,
    stack_drifts,
)
from core_lib.report.export import export_states, render_json
from core_lib.report.failures import group_failures
from core_lib.report.markdown import plan_markdown, render_markdown
from core_lib.report.messages import (
    ChangeGroup,
    DeferredGroup,
    Durations,
    FailureGroup,
    PlanReview,
    RunSummary,
    SkippedGroup,
    TargetOutcome,
    WaveProgress,
    WaveStep,
)
from core_lib.report.questions import Behind, behind
from core_lib.report.review import read_review, review, stack_reviews
from core_lib.report.summary import final_status, summarize
from core_lib.report.text import counted, headline, render_text, some

__all__ = [
    "Behind",
    "ChangeGroup",
    "DeferredGroup",
    "DriftGroup",
    "DriftReport",
    "Durations",
    "FailureGroup",
    "PlanReview",
    "RunSummary",
    "SkippedGroup",
    "TargetOutcome",
    "WaveProgress",
    "WaveStep",
    "behind",
    "counted",
    "drift_groups",
    "drift_headline",
    "drift_report",
    "export_states",
    "final_status",
    "fingerprint",
    "group_failures",
    "group_id",
    "headline",
    "normalise",
    "plan_markdown",
    "read_review",
    "render_drift",
    "render_json",
    "render_markdown",
    "render_text",
    "review",
    "some",
    "stack_drifts",
    "stack_reviews",
    "summarize",
]
