"""Waves: how far a rollout got, wave by wave, and what stands between one and the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from core_lib.framework.models import ActionState, ActionStatus, Plan, PlanWave
from core_lib.report.messages import TargetOutcome, WaveProgress, WaveStatus, WaveStep

_GOOD = (ActionStatus.SUCCEEDED, ActionStatus.SKIPPED)
_UNDER_WAY = (ActionStatus.PENDING, ActionStatus.RUNNING)


def wave_progress(plan: Plan, states: Mapping[str, ActionState], outcomes: Sequence[TargetOutcome]) -> tuple[WaveProgress, ...]:
    """Every wave of a plan, from the rows of its gates and the outcomes of its targets."""
    by_target = {outcome.target: outcome.status for outcome in outcomes}
    return tuple(_progress(wave, states, by_target) for wave in plan.waves)


def _progress(wave: PlanWave, states: Mapping[str, ActionState], by_target: Mapping[str, ActionStatus]) -> WaveProgress:
    counts = Counter(by_target.get(target, ActionStatus.PENDING) for target in wave.targets)
    steps = tuple(_steps(wave, states))
    return WaveProgress(
        name=wave.name,
        target_count=len(wave.targets),
        status=_status(counts, steps),
        targets={status.value: count for status, count in counts.items()},
        steps=steps,
    )


def _steps(wave: PlanWave, states: Mapping[str, ActionState]) -> Iterator[WaveStep]:
    gates: Sequence[str | None] = wave.gates or [None] * len(wave.steps)
    for words, gate in zip(wave.steps, gates, strict=True):
        state = states.get(gate) if gate else None
        status = state.status if state else ActionStatus.PENDING
        yield WaveStep(words=words, status=status, message=state.message if state else None)


def _status(counts: Mapping[ActionStatus, int], steps: Sequence[WaveStep]) -> WaveStatus:
    """Where a wave stands: its gates know best; the last wave has none and goes by its targets."""
    if not any(status not in (ActionStatus.PENDING, ActionStatus.BLOCKED, ActionStatus.CANCELLED) for status in counts):
        return "waiting" if set(counts) <= {ActionStatus.PENDING} else "not started"
    if any(count for status, count in counts.items() if status in _UNDER_WAY):
        return "running"
    if any(step.status is ActionStatus.FAILED for step in steps):
        return "stopped"
    if any(step.status not in _GOOD for step in steps):
        return "at its gates"
    return "done" if steps or set(counts) <= set(_GOOD) else "stopped"
