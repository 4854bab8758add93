"""Artifacts in Prefect's UI: the plan, the progress, the summary."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    aupdate_progress_artifact,
)

from core_lib.framework.models import Plan, RunState
from core_lib.report import PlanReview, RunSummary, plan_markdown, render_markdown

_ENDED = ("succeeded", "failed", "cancelled", "skipped", "blocked")


def artifact_key(kind: str, prn: str) -> str:
    """Key of an artifact: lower-case letters, digits and dashes. Same deployment, same key, so that its versions line up."""
    words = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in f"{kind}-{prn}".lower())
    return "-".join(word for word in words.split("-") if word)


async def publish_plan(run_id: str, plan: Plan) -> None:
    """The plan as a table."""
    key = artifact_key("plan", str(plan.deployment.prn))
    await acreate_markdown_artifact(plan_markdown(plan), key=key, description=f"{plan.task} of {run_id}")


async def publish_report(run: RunState, report: RunSummary | PlanReview) -> None:
    """The summary of a run, or the review of a plan."""
    kind = "summary" if isinstance(report, RunSummary) else "review"
    await acreate_markdown_artifact(
        render_markdown(report), key=artifact_key(kind, run.prn), description=f"{kind.capitalize()} of {run.run_id}"
    )


class Progress:
    """The progress bar of a run: share of its actions that ended."""

    def __init__(self, run: RunState) -> None:
        self._run = run
        self._id: UUID | None = None
        self._shown = -1.0

    async def show(self, counts: Mapping[str, int]) -> None:
        """Show these counts of actions by status; nothing is sent when nothing moved."""
        share = 100.0 * sum(counts.get(status, 0) for status in _ENDED) / max(self._run.action_count, 1)
        share = round(min(share, 100.0), 1)
        if share == self._shown:
            return
        self._shown = share
        if self._id is None:
            key = artifact_key("progress", self._run.prn)
            self._id = await acreate_progress_artifact(share, key=key, description=f"Progress of {self._run.run_id}")
        else:
            await aupdate_progress_artifact(self._id, progress=share)
