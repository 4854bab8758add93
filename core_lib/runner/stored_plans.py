"""Plans in the artefact store: where they lie, and reading them back."""

from __future__ import annotations

import json

from pydantic import ValidationError

from core_lib.framework.errors import RunStateError
from core_lib.framework.models import Plan
from core_lib.helper import ArtefactStore


def plan_key(plan: Plan) -> str:
    """Artefact key of a plan: under its deployment, named by its content hash."""
    return f"{plan.deployment.key_prefix('artefacts')}/plans/{plan.hash}.json"


def read_plan(store: ArtefactStore, key: str) -> Plan:
    """The plan under this key.

    Raises:
        ArtefactError: there is none.
        RunStateError: it cannot be read, or its content is not what its hash says.
    """
    try:
        plan = Plan.model_validate(json.loads(store.get(key)))
    except (ValueError, ValidationError) as error:
        raise RunStateError("the stored plan cannot be read", where=key) from error
    if plan.content_hash() != plan.hash:
        raise RunStateError("the stored plan was changed after it was sealed", where=key, hint="start a new run")
    return plan
