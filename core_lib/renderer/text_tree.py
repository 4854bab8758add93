"""A tree whose texts are all known at compile time: files of components and of vars, where `vars` is a name like any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core_lib.framework.codecs import DEFAULT_LIMITS, Path
from core_lib.framework.errors import RenderError
from core_lib.renderer.expressions import Expression, compile_now, has_expression, translate
from core_lib.renderer.session import current

Locate = Callable[[Path], str]
Render = Callable[[dict[str, Any]], Any]


class TextTree:
    """A tree of maps, lists and scalars, compiled once. `check` is asked before every text whether there is time left."""

    def __init__(self, data: Any, locate: Locate, check: Callable[[str], None]) -> None:
        self._locate = locate
        self._check = check
        self._values = 0
        self._render = self._node(data, ())

    def render(self, context: dict[str, Any]) -> Any:
        """The tree for one context; only inside a session.

        Raises:
            RenderError: an expression fails, or all of them together make too much; with file and line.
        """
        self._values = 0
        return self._render(context)

    def _node(self, value: Any, path: Path) -> Render:
        if isinstance(value, str):
            return self._text(value, path) if has_expression(value) else lambda _context: value
        if isinstance(value, Mapping):
            return self._map(value, path)
        if isinstance(value, list):
            parts = [self._node(item, (*path, index)) for index, item in enumerate(value)]
            return lambda context: [part(context) for part in parts]
        return lambda _context: value

    def _map(self, value: Mapping[str, Any], path: Path) -> Render:
        if not any(map(has_expression, value)):
            parts = {key: self._node(item, (*path, key)) for key, item in value.items()}
            return lambda context: {key: part(context) for key, part in parts.items()}
        entries = [(self._node(key, (*path, key)), self._node(item, (*path, key)), (*path, key)) for key, item in value.items()]

        def render(context: dict[str, Any]) -> dict[str, Any]:
            made: dict[str, Any] = {}
            for name, part, place in entries:
                key = name(context)
                if not isinstance(key, str) or key in made:
                    problem = f"the key {key[:60]!r} is there twice" if isinstance(key, str) else "a key must be text"
                    raise RenderError(problem, where=self._locate(place))
                made[key] = part(context)
            return made

        return render

    def _text(self, text: str, path: Path) -> Render:
        try:
            compiled: Expression = compile_now(text)
        except RenderError as error:
            raise RenderError(error.message, where=self._locate(path), hint=error.hint) from error
        self._check(self._locate(path))

        def render(context: dict[str, Any]) -> Any:
            try:
                value = compiled.value(context)
                self._measure(value)
            except Exception as error:
                told = translate(error, text, context)
                raise RenderError(told.message, where=self._locate(path), hint=told.hint) from error
            return value

        return render

    def _measure(self, value: Any) -> None:
        """Count what was made: a package may name a large value of its vars a thousand times."""
        if isinstance(value, str):
            current().made(len(value))
        elif isinstance(value, (list, dict)):
            self._values += _size(value)
            if self._values > DEFAULT_LIMITS.nodes:
                raise RenderError(f"the expressions of the file give more than {DEFAULT_LIMITS.nodes} values")


def _size(value: Any) -> int:
    if isinstance(value, str):
        current().made(len(value))
        return 1
    if isinstance(value, dict):
        return 1 + sum(map(_size, value.values()))
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1
