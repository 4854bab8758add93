"""Renderer: sandboxed Jinja over texts and trees, with two times of binding.

A text is *compile-time* when it names facts only: it must resolve now, or there is an error with file and line. It is *run-time*
when it names `outputs.<action>.<Name>` or `vars.<Name>`: it stays as written, the compile-time values it needs are captured as
bindings, and `resolve_runtime` fills it in from the ledger during the run. Which of the two a text is, and what it refers to, is
read off its syntax tree; nothing is run to find out. A text that is one expression keeps the type of its value. CloudFormation's
own `{{resolve:...}}` is left alone. What a text may do is bounded by `sandbox`; every failure is a `RenderError`.
"""

from core_lib.renderer.conditions import Deferred, render_condition, resolve_condition
from core_lib.renderer.expressions import (
    Expression,
    add_filters,
    compile_now,
    compile_text,
    full_context,
    has_expression,
    translate,
)
from core_lib.renderer.filters.network import parse_port_spec
from core_lib.renderer.filters.text import shorten_unique
from core_lib.renderer.limits import LIMITS, RenderLimits
from core_lib.renderer.references import Reference
from core_lib.renderer.renderer import Renderer
from core_lib.renderer.runtime import resolve_runtime, runtime_references
from core_lib.renderer.session import ReadFile, session
from core_lib.renderer.text_tree import TextTree
from core_lib.renderer.tree import CompiledTree, Rendered, compile_tree
from core_lib.renderer.whole_file import FileTemplate, RenderedFile

__all__ = [
    "LIMITS", "CompiledTree", "Deferred", "Expression", "FileTemplate", "ReadFile", "Reference", "RenderLimits", "Rendered",
    "RenderedFile", "Renderer", "TextTree", "add_filters", "compile_now", "compile_text", "compile_tree", "full_context",
    "has_expression", "parse_port_spec", "render_condition", "resolve_condition", "resolve_runtime", "runtime_references",
    "session", "shorten_unique", "translate",
]  # fmt: skip
