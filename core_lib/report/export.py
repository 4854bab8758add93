"""Reports and end states as JSON: same content, same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from core_lib.framework.models import ActionState, Message, Plan, RunState


def render_json(report: Message) -> str:
    """Canonical JSON text of a summary or a review, ends with a newline."""
    return json.dumps(report.as_dict(), sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def export_states(run: RunState, plan: Plan, states: Mapping[str, ActionState]) -> str:
    """The end state of a run as JSON: the run record and its actions in plan order (the `<task>.state` artefact)."""
    actions = [states[action.id].as_dict() for action in plan.actions if action.id in states]
    return json.dumps({"Run": run.as_dict(), "Actions": actions}, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
