"""Conditions: texts that say yes or no, at compile time where possible, else during the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core_lib.framework.errors import RenderError
from core_lib.renderer.expressions import has_expression
from core_lib.renderer.references import Reference
from core_lib.renderer.runtime import resolve_runtime
from core_lib.renderer.session import ReadFile
from core_lib.renderer.tree import Locate, compile_tree


@dataclass(frozen=True, slots=True)
class Deferred:
    """A condition that only the run can answer: give `text` and `bindings` to `resolve_condition`."""

    text: str
    bindings: dict[str, Any] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()


def render_condition(
    text: str, context: Mapping[str, Any], *, locate: Locate | None = None, files: ReadFile | None = None
) -> bool | Deferred:
    """Yes, no, or Deferred for a condition such as `{{ Environment == 'prod' }}`; the braces may be left out.

    Raises:
        RenderError: the condition is not valid or gives neither yes nor no.
    """
    wrapped = _wrapped(text)
    rendered = compile_tree(wrapped, locate).render(context, files=files)
    if rendered.references:
        return Deferred(wrapped, rendered.bindings, rendered.references)
    return _truth(rendered.value, text, locate(()) if locate else None)


def resolve_condition(
    text: str, *, outputs: Mapping[str, Mapping[str, Any]], variables: Mapping[str, Any], bindings: Mapping[str, Any]
) -> bool:
    """The answer of a deferred condition, from the ledger.

    Raises:
        RenderError: an output or variable is missing, or the answer is neither yes nor no.
    """
    return _truth(resolve_runtime(_wrapped(text), outputs=outputs, variables=variables, bindings=bindings), text, None)


def _wrapped(text: str) -> str:
    stripped = text.strip()
    return stripped if has_expression(stripped) or not stripped else f"{{{{ {stripped} }}}}"


def _truth(value: Any, text: str, where: str | None) -> bool:
    if isinstance(value, str):
        answer = {"true": True, "false": False, "": False}.get(value.strip().lower())
        if answer is None:
            raise RenderError(f"a condition gives true or false, not {value[:60]!r}, in {text[:120]!r}", where=where)
        return answer
    return bool(value)
