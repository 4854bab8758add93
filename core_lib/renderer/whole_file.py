"""A whole file as one template, for files that are text until they are rendered; it knows where each of its lines came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2.environment import Template
from jinja2.exceptions import TemplateSyntaxError

from core_lib.framework.errors import RenderError
from core_lib.renderer import bounds
from core_lib.renderer.expressions import SANDBOX, translate, without_dynamic_references
from core_lib.renderer.session import current
from core_lib.renderer.transform import mark_literals

MOST_TAGS = 10_000
"""In one file; compiling them takes time and memory."""


@dataclass(frozen=True)
class RenderedFile:
    """The text, and for each of its lines the line of the file (from 1) that it came from."""

    text: str
    lines: tuple[int, ...]

    def line_of(self, line: int) -> int:
        """The line of the file that a line of the text (from 1) came from."""
        return self.lines[min(max(line, 1), len(self.lines)) - 1]


class FileTemplate:
    """A compiled file. All of it is known at compile time: `vars` is a name like any other."""

    def __init__(self, text: str, source: str) -> None:
        """Compile.

        Raises:
            RenderError: with file and line.
        """
        self._source = source
        if text.count("{{") + text.count("{%") > MOST_TAGS:
            raise RenderError(
                f"a template of more than {MOST_TAGS} expressions and statements", where=source, hint="split the file"
            )
        try:
            tree = SANDBOX.parse(without_dynamic_references(text))
            mark_literals(tree.body)
            tree.set_environment(SANDBOX)
            self._template: Template = SANDBOX.from_string(tree)
        except Exception as error:
            raise self._placed(error, ()) from error

    def render(self, context: dict[str, Any]) -> RenderedFile:
        """The file in a context that includes the sandbox's globals (see `full_context`); only inside a session.

        Raises:
            RenderError: with file and line.
        """
        made = _Lines()
        try:
            state = self._template.new_context(context, shared=True)
            for part in self._template.root_render_func(state):
                made.add(part)
                bounds.check_length(made.length)
        except Exception as error:
            raise self._placed(error, context) from error
        return RenderedFile("".join(made.parts), tuple(made.numbers))

    def _placed(self, error: Exception, names: Mapping[str, Any] | tuple[()]) -> RenderError:
        line = error.lineno if isinstance(error, TemplateSyntaxError) else _line_of(error)
        told = translate(error, "", names)
        where = f"{self._source}:{line}" if line else self._source
        return RenderError(told.message.removesuffix(", in ''"), where=where, hint=told.hint)


class _Lines:
    """What was made so far. Literal text says its own line; the lines of a value belong to the line of its expression."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.numbers = [1]
        self.length = 0
        self._at_start = True

    def add(self, part: str) -> None:
        session = current()
        line, session.line = session.line, None
        if line is not None and self._at_start:
            self.numbers[-1] = line
        breaks = part.count("\n")
        if breaks and line is None:
            self.numbers.extend([self.numbers[-1]] * breaks)
        elif breaks and line is not None:
            self.numbers.extend(range(line + 1, line + breaks + 1))
        if part:
            self._at_start = part.endswith("\n")
        self.parts.append(part)
        self.length += len(part)


def _line_of(error: Exception) -> int | None:
    """The line of the template that was being done when the error came up."""
    line: int | None = None
    trace = error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line
