"""Renderer: one context, any number of texts, trees and conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core_lib.renderer.conditions import Deferred, render_condition
from core_lib.renderer.session import ReadFile
from core_lib.renderer.tree import Locate, Rendered, compile_tree


class Renderer:
    """Renders with one context, e.g. the facts of one deployment.

    `files` gives the text of a package file to the filter `read_file`; `includes` gives templates to include, import and
    extends, which are refused without it.
    """

    def __init__(self, context: Mapping[str, Any], *, files: ReadFile | None = None, includes: ReadFile | None = None) -> None:
        self._context = context
        self._files = files
        self._includes = includes

    def render_tree(self, value: Any, *, locate: Locate | None = None) -> Rendered:
        """Render every text of a tree. Raises RenderError with the place of the text."""
        return compile_tree(value, locate).render(self._context, files=self._files, includes=self._includes)

    def render_text(self, text: str, *, where: str | None = None) -> Any:
        """Render one text; a text that is one expression keeps the type of its value. Run-time texts stay as written."""
        return self.render_tree(text, locate=(lambda _path: where) if where else None).value

    def render_condition(self, text: str, *, where: str | None = None) -> bool | Deferred:
        """Yes, no, or Deferred; see `render_condition`."""
        return render_condition(text, self._context, locate=(lambda _path: where) if where else None, files=self._files)
