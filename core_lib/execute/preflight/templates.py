"""Whether CloudFormation takes the templates: each distinct one is asked about once per run, not once per target."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from botocore.exceptions import ClientError

from core_lib.execute.action import ActionContext
from core_lib.execute.preflight.findings import Finding, of_error
from core_lib.execute.preflight.survey import Change
from core_lib.execute.stacks.live import error_text
from core_lib.execute.stacks.parameters import StackParams, template_source
from core_lib.helper import error_info


class TemplateChecks:
    """The answers so far, by content hash. Safe for threads: who comes second waits for the answer to the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[str, threading.Lock] = {}
        self._answers: dict[str, Finding | None] = {}

    def check(self, change: Change) -> Iterator[Finding]:
        """What is wrong with the template of a change. One that was deployed before is known to be right."""
        context = change.context
        if context is None:
            return
        digest = context.file_sha256(context.params.template)
        record = context.stacks.record(change.stack)
        if record is not None and record.template is not None and record.template.sha256 == digest:
            return
        with self._lock:
            turn = self._asked.setdefault(digest, threading.Lock())
        with turn:
            if digest not in self._answers:
                self._answers[digest] = _ask(context)
            answer = self._answers[digest]
        if answer is not None:
            yield answer


def _ask(context: ActionContext[StackParams]) -> Finding | None:
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ValidateTemplate.html"""
    path = context.params.template
    try:
        context.client("cloudformation").validate_template(**template_source(context, path))
    except ClientError as error:
        if error_text(error)[0] != "ValidationError" or error_text(error)[1] == "Rate exceeded":
            raise
        found = of_error("template", error_info(error))
        return found.model_copy(update={"message": f"CloudFormation refuses the template {path}: {error_text(error)[1]}"})
    return None
