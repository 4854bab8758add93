"""Limits of CloudFormation, so that a template that is too large is refused before anything runs.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from core_lib.component.guard.finding import Finding
from core_lib.component.model import StageTemplate

MOST = {"Resources": 500, "Parameters": 200, "Outputs": 200, "Mappings": 200}
LARGEST_BODY = 1_000_000
_CLOSE = 0.9


def over_limits(owner: str, template: StageTemplate) -> Iterator[Finding]:
    """A finding for every limit that a template breaks, a warning where it comes close."""
    for section, most in MOST.items():
        count = len(template.body.get(section) or ())
        if count > most:
            message = f"{count} {section.lower()}, CloudFormation takes {most}"
            yield Finding("template-limit", "error", owner, template.stage, "", section, message, "split the component")
        elif count > most * _CLOSE:
            message = f"{count} {section.lower()} of the {most} that CloudFormation takes"
            yield Finding("template-limit", "warning", owner, template.stage, "", section, message, "split the component")
    size = len(json.dumps(template.body, separators=(",", ":"), default=str).encode())
    if size > LARGEST_BODY:
        message = f"{size:,} bytes, CloudFormation takes {LARGEST_BODY:,}"
        yield Finding("template-limit", "error", owner, template.stage, "", "", message, "move texts into platform/files")
