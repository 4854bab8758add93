"""The second time of binding: what the compile left as written, resolved from the ledger during the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core_lib.framework.codecs import TaggedValue
from core_lib.framework.errors import RenderError
from core_lib.renderer.expressions import compile_text, full_context, has_expression, translate
from core_lib.renderer.references import Reference
from core_lib.renderer.session import session


def runtime_references(text: str) -> list[Reference]:
    """The run-time references in a text, in the order they appear.

    Raises:
        RenderError: the text is not valid, or a label cannot be told before the run (`outputs[name]`).
    """
    return list(compile_text(text).uses.runtime) if has_expression(text) else []


def resolve_runtime(
    value: Any,
    *,
    outputs: Mapping[str, Mapping[str, Any]],
    variables: Mapping[str, Any],
    bindings: Mapping[str, Any],
) -> Any:
    """A copy of a tree with its run-time texts resolved; every other text stays as it is, whatever it looks like.

    `outputs` has a map per label, `bindings` is what the compile captured.

    Raises:
        RenderError: an output or variable is not there.
    """
    with session():
        return _resolve(value, full_context({**bindings, "outputs": outputs, "vars": variables}))


def _resolve(value: Any, context: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return _resolve_text(value, context) if has_expression(value) else value
    if isinstance(value, Mapping):
        return {_resolve(key, context): _resolve(item, context) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_resolve(item, context) for item in value]
    if isinstance(value, TaggedValue):
        return TaggedValue(value.tag, _resolve(value.value, context))
    return value


def _resolve_text(text: str, context: dict[str, Any]) -> Any:
    try:
        expression = compile_text(text)
    except RenderError:
        return text  # a literal that merely looks like an expression; the compile refused every real one that is not valid
    if not expression.uses.runtime:
        return text
    try:
        return expression.value(context)
    except Exception as error:
        raise translate(error, text, context) from error
