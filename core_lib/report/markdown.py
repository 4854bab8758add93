"""Reports as Markdown, for the Prefect UI, pull requests and tickets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from core_lib.execute import FindingGroup
from core_lib.framework.models import Plan, PlanWave
from core_lib.report.messages import FailureGroup, PlanReview, RunSummary
from core_lib.report.text import counted, duration, headline, some, tally

MOST_ROWS = 200
_SIGNS = {"failed": "❌", "succeeded": "✅", "cancelled": "⛔", "blocked": "⏸", "skipped": "➖"}


def render_markdown(report: RunSummary | PlanReview) -> str:
    """A summary with its failures and its failed or slowest targets, or a review with its changes."""
    return "\n".join(_summary(report) if isinstance(report, RunSummary) else _review(report)) + "\n"


def plan_markdown(plan: Plan) -> str:
    """What a plan consists of: its targets and, per action name, how many instances it has."""
    return "\n".join(_plan(plan)) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Lines of a Markdown table; cells are escaped."""
    yield "| " + " | ".join(header) + " |"
    yield "|" + " --- |" * len(header)
    for row in rows:
        yield "| " + " | ".join(_cell(value) for value in row) + " |"


def _cell(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _summary(summary: RunSummary) -> Iterator[str]:
    yield f"# {summary.task} {summary.prn}: {summary.status}"
    yield ""
    rows = [
        ("Run", summary.run_id),
        ("Took", duration(summary.seconds)),
        ("Targets", tally(summary.targets)),
        ("Actions", tally(summary.actions)),
        ("Changed something", f"{summary.changed:,}"),
        ("Plan", summary.plan_hash[:12]),
    ]
    yield from table(("", ""), rows)
    if summary.error:
        yield f"\n**Error:** {_cell(summary.error)}"
    if summary.waves:
        yield ""
        yield from table(
            ("Wave", "Status", "Targets", "Between it and the next"),
            (
                (wave.name, wave.status, tally(wave.targets), "; ".join(f"{step.words} ({step.status})" for step in wave.steps))
                for wave in summary.waves
            ),
        )
    yield from _failures(summary.failures)
    yield from _warnings(summary.preflight)
    if summary.held_back:
        yield f"\n{counted(summary.held_back, 'action')} held back: the run had more failures than it tolerates."
    shown = [item for item in summary.outcomes if item.status != "succeeded"][:MOST_ROWS] or list(summary.slowest)
    yield ""
    yield "## Targets"
    yield ""
    yield from table(
        ("Target", "Account", "Status", "Actions", "Changed", "Took"),
        (
            (
                item.target,
                item.account_name or "",
                f"{_SIGNS.get(item.status, '')} {item.status}",
                tally(item.counts),
                item.changed,
                duration(item.seconds),
            )
            for item in shown
        ),
    )
    for group in summary.skipped:
        yield ""
        yield f"Left out, {_cell(group.reason)}: {_cell(some(group.targets))}"


def _review(review: PlanReview) -> Iterator[str]:
    yield f"# {headline(review)}"
    for group in review.groups:
        yield ""
        yield f"## {group.severity.capitalize()}: {group.action} in {counted(len(group.targets), 'target')}"
        yield ""
        yield f"`{group.outcome}` of `{group.stack_name}` in {_cell(some(group.targets))}"
        yield ""
        yield from table(
            ("Change", "Resource", "Type", "Replacement", "Properties"),
            (
                (
                    change.action,
                    change.logical_id,
                    change.resource_type,
                    {"True": "yes", "Conditional": "maybe"}.get(change.replacement or "", ""),
                    some([item.path for item in change.properties]),
                )
                for change in group.changes
            ),
        )
    for deferred in review.deferred:
        yield ""
        yield f"**Known during apply:** {deferred.action} in {counted(len(deferred.targets), 'target')}: {_cell(deferred.reason)}"
    yield ""
    yield from _plan_waves(review.waves)
    yield f"{counted(review.unchanged, 'stack')} unchanged, {counted(review.not_reviewed, 'stack')} could not be reviewed."
    yield from _failures(review.failures)
    yield from _warnings(review.preflight)


def _plan(plan: Plan) -> Iterator[str]:
    yield f"# {plan.task} {plan.deployment.prn}"
    yield ""
    accounts = len({target.account for target in plan.targets})
    yield (
        f"{counted(len(plan.actions), 'action')} on {counted(len(plan.targets), 'target')} in "
        f"{counted(accounts, 'account')}; plan `{plan.hash[:12]}`"
    )
    yield ""
    instances = Counter((action.segment, action.name, action.kind) for action in plan.actions)
    rows = ((name, kind, segment, count) for (segment, name, kind), count in instances.items())
    yield from table(("Action", "Kind", "Segment", "Targets"), rows)
    yield ""
    yield from _plan_waves(plan.waves)
    regions = Counter(target.region for target in plan.targets)
    yield from table(("Region", "Targets"), sorted(regions.items()))
    for skipped in plan.skipped[:MOST_ROWS]:
        yield ""
        yield f"Left out: {_cell(skipped.account_name or skipped.account)} {skipped.region or ''}: {_cell(skipped.reason)}"


def _plan_waves(waves: Sequence[PlanWave]) -> Iterator[str]:
    if waves:
        yield from table(
            ("Wave", "Targets", "Then"), ((wave.name, f"{len(wave.targets):,}", "; ".join(wave.steps)) for wave in waves)
        )
        yield ""


def _failures(failures: Iterable[FailureGroup]) -> Iterator[str]:
    for group in failures:
        yield ""
        yield f"## ❌ {counted(group.count, 'failure')} in {counted(len(group.accounts), 'account')}: {group.code}"
        yield ""
        yield f"> {_cell(group.message)}"
        yield ""
        blocked = f"; blocks {counted(group.blocked, 'action')}" if group.blocked else ""
        yield f"{_cell(some(group.actions))}, {group.cause}, in {_cell(some(group.targets, 8))}{blocked}"
        if group.title:
            yield ""
            yield f"**Why:** {_cell(group.title)}{', it may pass by itself' if group.transient else ''}"
        for advice in dict.fromkeys(text for text in (group.hint, group.fix) if text):
            yield ""
            yield f"**Next:** {_cell(advice)}"
        if group.retry:
            yield ""
            yield f"**Retry:** `{group.retry}`"


def _warnings(groups: Iterable[FindingGroup]) -> Iterator[str]:
    for group in groups:
        if group.severity == "warning":
            advice = f" {_cell(group.hint)}." if group.hint else ""
            yield f"\n⚠️ **{_cell(group.message)}** in {_cell(some(group.targets, 8))}.{advice}"
