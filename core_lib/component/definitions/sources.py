"""Sources: one file of the package, read and rendered, knowing the line of each of its values.

A file that is YAML (or JSON) as it stands has its texts rendered where they are: values keep their types, and nothing that an
expression gives is ever parsed. A file written as a text template (unquoted `{{ vars.x }}`, `{% if %}`, `{% for %}`) is rendered
as a whole and parsed afterwards; every line of it knows the line of the file that it came from.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core_lib.framework.codecs import DEFAULT_LIMITS, Document, Path, cfn_to_plain, load_document
from core_lib.framework.errors import CodecError, RenderError
from core_lib.renderer import FileTemplate, RenderedFile, TextTree, has_expression

_SECONDS = 10.0
"""Processor time for compiling the expressions of a package."""


class Budget:
    """How long the expressions of a package may take to compile, in processor time."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._deadline = time.thread_time() + seconds

    def check(self, where: str) -> None:
        """Raises RenderError when the time is used up."""
        if time.thread_time() > self._deadline:
            raise RenderError(f"the expressions of the package take longer than {self._seconds:g} seconds to read", where=where)


@dataclass(frozen=True)
class Source:
    """What a file holds after rendering. Short tags are in their long form."""

    path: str
    data: Any
    locate: Callable[[Path], str]


class Draft:
    """A file that is read and compiled, not yet rendered."""

    def __init__(self, content: bytes, path: str, budget: Budget) -> None:
        """Read and compile.

        Raises:
            CodecError: not readable. RenderError: an expression that is not valid.
        """
        self.path = path
        self._document: Document | None = None
        self._tree: TextTree | None = None
        self._template: FileTemplate | None = None
        text = _decoded(content, path)
        if not has_expression(text):
            self._document = load_document(text, path)
            return
        budget.check(path)
        self._document = None if "{%" in text else _as_document(text, path)
        if self._document is not None:
            self._tree = TextTree(cfn_to_plain(self._document), self._document.locate, budget.check)
        else:
            self._template = FileTemplate(text, path)

    def rendered(self, context: dict[str, Any]) -> Callable[[], Source]:
        """Render, only inside a session; what is returned parses the outcome where that is still to be done.

        Raises:
            RenderError: an expression fails; with file and line.
        """
        if self._template is not None:
            made = self._template.render(context)
            return lambda: _parsed(made, self.path)
        document = self._document
        data = self._tree.render(context) if self._tree is not None else cfn_to_plain(document)
        locate = document.locate if document is not None else lambda _path: self.path
        return lambda: Source(self.path, data, locate)


def _decoded(content: bytes, path: str) -> str:
    if len(content) > DEFAULT_LIMITS.size:
        raise CodecError(f"larger than {DEFAULT_LIMITS.size} bytes", where=path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CodecError("not UTF-8", where=f"{path}:{line}", hint="save the file with the encoding UTF-8") from error


def _as_document(text: str, path: str) -> Document | None:
    """The document, or None for a text that is not YAML before it is rendered."""
    try:
        return load_document(text, path)
    except CodecError:
        return None


def _parsed(made: RenderedFile, path: str) -> Source:
    try:
        document = load_document(made.text, path)
    except CodecError as error:
        where = _in_file(error.where or path, made)
        hint = error.hint or "this file is a template of YAML: look at the line as it is after rendering"
        raise CodecError(error.message, where=where, hint=hint) from error
    return Source(path, cfn_to_plain(document), lambda place: _in_file(document.locate(place), made))


def _in_file(place: str, made: RenderedFile) -> str:
    """`file:line:column` of the rendered text as a place in the file."""
    path, *numbers = place.split(":")
    if not numbers:
        return place
    return ":".join((path, str(made.line_of(int(numbers[0]))), *numbers[1:]))
