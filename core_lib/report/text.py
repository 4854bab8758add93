"""Reports as plain text, for a terminal or a log. The most important thing comes first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from core_lib.execute import FindingGroup
from core_lib.framework.models import PlanWave
from core_lib.report.messages import ChangeGroup, FailureGroup, PlanReview, RunSummary, SkippedGroup, WaveProgress
from core_lib.report.questions import Behind

NAMED = 4

_MARKS = {"Add": "+", "Modify": "~", "Remove": "-", "Import": "<", "Dynamic": "?", "SyncWithActual": "="}


def render_text(report: RunSummary | PlanReview | Behind) -> str:
    """A summary, a review, or what a question is about, as a screenful of text that ends with a newline."""
    if isinstance(report, Behind):
        lines = _behind(report)
    else:
        lines = _summary(report) if isinstance(report, RunSummary) else _review(report)
    return "\n".join(lines) + "\n"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """`1 target`, `120 targets`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def some(names: Sequence[str], most: int = NAMED) -> str:
    """The first few names, and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def headline(review: PlanReview) -> str:
    """The one line a person reads: `120 targets: 3 different changes`."""
    if review.empty:
        return f"{counted(review.target_count, 'target')}: no changes"
    changes = counted(len(review.groups), "different change")
    later = f", {counted(sum(len(group.targets) for group in review.deferred), 'stack')} known only during apply"
    return f"{counted(review.target_count, 'target')}: {changes}{later if review.deferred else ''}"


def duration(seconds: float) -> str:
    """`0.8 s`, `42 s`, `3 min 20 s`, `1 h 05 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def tally(counts: Mapping[str, int]) -> str:
    """`118 succeeded, 2 failed`."""
    return ", ".join(f"{count:,} {status}" for status, count in counts.items() if count) or "none"


def _behind(report: Behind) -> Iterator[str]:
    asked = f", asked for by {report.requested_by}" if report.requested_by else ""
    yield f"{report.prn}: run {report.run_id}{asked}, waits at {report.question}"
    if report.message:
        yield f"  message  {report.message}"
    yield f"  so far   {tally(report.so_far)}"
    if report.failed:
        yield f"  failed   {some(report.failed)}"
    if not report.waiting:
        yield "  a yes    lets the run end; nothing else waits for it"
        return
    yield f"  a yes    lets {counted(sum(report.waiting.values()), 'action')} begin in {counted(len(report.targets), 'target')}"
    yield f"           {tally(report.waiting)}: {some(report.names)}"
    yield f"           in {some(report.targets)}"


def _summary(summary: RunSummary) -> Iterator[str]:
    yield f"{summary.task} {summary.prn}: {summary.status} in {duration(summary.seconds)} (run {summary.run_id})"
    yield f"  targets  {tally(summary.targets)}"
    yield f"  actions  {tally(summary.actions)}; {summary.changed:,} changed something"
    if summary.target_durations.longest:
        times = summary.target_durations
        yield (
            f"  time     per target: half within {duration(times.median)}, 95 % within {duration(times.p95)}, "
            f"longest {duration(times.longest)}"
        )
    if summary.error:
        yield f"  error    {summary.error}"
    yield from _progress(summary.waves)
    yield from _failures(summary.failures)
    yield from _warnings(summary.preflight)
    if summary.held_back:
        yield ""
        yield f"HELD BACK  {counted(summary.held_back, 'action')}: the run had more failures than it tolerates"
    if (transient := sum(group.count for group in summary.failures if group.transient)) and len(summary.failures) > 1:
        yield ""
        yield f"{counted(transient, 'failure')} may pass by trying again: core runs retry {summary.run_id} --only transient"
    yield from _skipped(summary.skipped)


def _review(review: PlanReview) -> Iterator[str]:
    yield headline(review)
    for group in review.groups:
        yield from _group(group)
    for deferred in review.deferred:
        yield ""
        yield f"KNOWN DURING APPLY  {deferred.action} in {counted(len(deferred.targets), 'target')}: {deferred.reason}"
        yield f"    {some(deferred.targets)}"
    if review.unchanged:
        yield ""
        yield f"{counted(review.unchanged, 'stack')} unchanged"
    if review.not_reviewed:
        yield f"{counted(review.not_reviewed, 'stack')} could not be reviewed"
    yield from _waves(review.waves)
    yield from _failures(review.failures)
    yield from _warnings(review.preflight)
    yield from _skipped(review.skipped)


def _progress(waves: Iterable[WaveProgress]) -> Iterator[str]:
    """How far each wave got; of its gates those that did not come to a good end."""
    for number, wave in enumerate(waves):
        label = "  waves    " if number == 0 else "           "
        yield f"{label}{wave.name}: {wave.status} ({counted(wave.target_count, 'target')}: {tally(wave.targets)})"
        for step in wave.steps:
            if wave.status in ("at its gates", "stopped") and step.status in ("running", "failed", "blocked", "cancelled"):
                yield f"             {step.status}  {step.words}" + (f": {step.message}" if step.message else "")


def _waves(waves: Sequence[PlanWave]) -> Iterator[str]:
    for number, wave in enumerate(waves):
        if number == 0:
            yield ""
        then = f"; then {', '.join(wave.steps)}" if wave.steps else ""
        yield f"WAVE {number + 1}  {wave.name}: {counted(len(wave.targets), 'target')}{then}"


def _group(group: ChangeGroup) -> Iterator[str]:
    yield ""
    where = counted(len(group.targets), "target")
    yield f"{group.severity.upper()}  {group.action}: {group.outcome} {group.stack_name} in {where}"
    yield f"    {some(group.targets)}"
    for change in group.changes:
        replaced = {"True": "  (replacement)", "Conditional": "  (may be replaced)"}.get(change.replacement or "", "")
        yield f"  {_MARKS[change.action]} {change.logical_id}  {change.resource_type}{replaced}"
        for item in change.properties:
            values = f": {_short(item.before)} -> {_short(item.after)}" if (item.before, item.after) != (None, None) else ""
            yield f"      {item.path}{values}"


def _short(value: object, longest: int = 60) -> str:
    text = "(none)" if value is None else str(value)
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _failures(failures: Iterable[FailureGroup]) -> Iterator[str]:
    for group in failures:
        yield ""
        times, places = counted(group.count, "failure"), counted(len(group.accounts), "account")
        yield f"FAILED  {times} of {some(group.actions)} in {places}  [{group.code}, {group.cause}]"
        yield f"    {group.message}"
        if group.title:
            yield f"    why    {group.title}{', it may pass by itself' if group.transient else ''}"
        if group.where:
            yield f"    where  {group.where}"
        for advice in dict.fromkeys(text for text in (group.hint, group.fix) if text):
            yield f"    next   {advice}"
        yield f"    in     {some(group.targets)}"
        if group.blocked:
            yield f"    blocks {counted(group.blocked, 'action')}"
        if group.retry:
            yield f"    retry  {group.retry}"


def _warnings(groups: Iterable[FindingGroup]) -> Iterator[str]:
    """What the pre-flight found and did not let fail; its errors are among the failures."""
    for group in groups:
        if group.severity == "warning":
            yield ""
            yield f"WARNING  {group.message}"
            if group.hint:
                yield f"    next   {group.hint}"
            yield f"    in     {some(group.targets)}"


def _skipped(groups: Iterable[SkippedGroup]) -> Iterator[str]:
    for group in groups:
        yield ""
        yield f"LEFT OUT  {counted(len(group.targets), 'target')}: {group.reason}"
        yield f"    {some(group.targets)}"
