"""Whether a stack is exactly as it was left, and exactly as it is wanted: then nothing needs to be asked of CloudFormation."""

from __future__ import annotations

import re

from core_lib.db import StackRecord
from core_lib.execute.action import ActionContext
from core_lib.execute.stacks.before import untouched
from core_lib.execute.stacks.live import LiveStack
from core_lib.execute.stacks.parameters import StackParams, Wanted
from core_lib.execute.stacks.states import GOOD

_FROM_ELSEWHERE = (b"AWS::Include", b"Fn::Transform", b"TemplateURL", b"{{resolve:ssm")
_TRANSFORM = re.compile(rb"""\bTransform\b""")
_PURE_TRANSFORM = re.compile(rb"""\bTransform["']?\s*:\s*["']?AWS::(?:LanguageExtensions|Serverless-2016-10-31)\b""")


def is_unchanged(ctx: ActionContext[StackParams], live: LiveStack | None, want: Wanted) -> bool:
    """True when the same is wanted as was deployed, and nobody changed the stack since.

    A stack whose parameters follow the SSM parameter store, or whose template depends on what lies elsewhere (nested templates,
    macros, includes, dynamic references), may have to change although nothing of ours did: it always goes through a change set.
    """
    record = ctx.stacks.record(want.name)
    if record is None or live is None or not _same(record, live, want):
        return False
    template = ctx.files(want.params.template)
    return not live.follows_ssm and is_self_contained(template)


def is_self_contained(template: bytes) -> bool:
    """Whether the same template always means the same resources. In doubt it does not."""
    if any(mark in template for mark in _FROM_ELSEWHERE):
        return False
    return len(_TRANSFORM.findall(template)) == len(_PURE_TRANSFORM.findall(template))


def _same(record: StackRecord, live: LiveStack, want: Wanted) -> bool:
    return (
        record.fingerprint == want.fingerprint
        and live.status in GOOD
        and untouched(record, live)
        and want.params.termination_protection in (None, live.protected)
    )
