"""Reading JSON: strict (RFC 8259), bounded, and with the place of every value.

The standard library's parser does the reading. Places are worked out only when somebody asks for one, which is when
something is wrong: by a small scanner over text that is already known to be valid JSON.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from core_lib.framework.codecs.document import Document
from core_lib.framework.codecs.limits import DEFAULT_LIMITS, Limits
from core_lib.framework.codecs.nodes import Kind, Node
from core_lib.framework.codecs.scalars import MOST_DIGITS
from core_lib.framework.codecs.text import decode
from core_lib.framework.errors import CodecError

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def load_json(text: str | bytes, source: str, *, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Read one JSON value. Nothing is converted: dates stay text, whole numbers stay exact.

    Raises:
        CodecError: not UTF-8, not JSON, NaN or Infinity, a duplicate key, or more than `limits` allow.
    """
    content = decode(text, source, limits)
    if not content.strip():
        return Document(None, source)
    _check_depth(content, source, limits)
    try:
        data = json.loads(content, object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_integer, parse_float=_float)
    except json.JSONDecodeError as error:
        raise CodecError(f"not readable as JSON: {error.msg}", where=f"{source}:{error.lineno}:{error.colno}") from error
    except _DuplicateKeyError as error:
        raise _duplicate(content, source, error.key) from error
    except _NumberError as error:
        raise CodecError(error.args[0], where=source) from error
    if _SURROGATE.search(content):
        _check_characters(data, source)
    return Document(data, source, lambda: _Scanner(content).root)


class _DuplicateKeyError(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class _NumberError(Exception):
    pass


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) == len(pairs):
        return data
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _DuplicateKeyError(key)
        seen.add(key)
    return data


def _constant(name: str) -> NoReturn:
    raise _NumberError(f"{name} is not a JSON number")


def _integer(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise _NumberError(f"a number of {len(text)} digits is too large")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _NumberError(f"the number {text[:40]} is too large")
    return value


def _check_depth(content: str, source: str, limits: Limits) -> None:
    if content.count("[") + content.count("{") <= limits.depth and len(content) < limits.nodes:
        return
    depth = nodes = 0
    for token in _TOKEN.finditer(content):
        first = content[token.start()]
        if first in "[{":
            depth += 1
        elif first in "]}":
            depth -= 1
        elif first in ",:":
            continue
        nodes += 1
        if depth > limits.depth or nodes > 3 * limits.nodes:
            line = content.count("\n", 0, token.start()) + 1
            what = f"nested deeper than {limits.depth} levels" if depth > limits.depth else f"more than {limits.nodes} values"
            raise CodecError(what, where=f"{source}:{line}")


def _check_characters(data: Any, source: str) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise CodecError("a text holds half a character (a lone surrogate escape)", where=source) from error


def _duplicate(content: str, source: str, key: str) -> CodecError:
    scanner = _Scanner(content)
    line, column, first = scanner.duplicate or (0, 0, 0)
    return CodecError(
        f"the key {key[:60]!r} is given twice",
        where=f"{source}:{line + 1}:{column + 1}",
        hint=f"the first one is in line {first + 1}",
    )


class _Scanner:
    """Nodes of valid JSON text, by position only: scalars have no content."""

    def __init__(self, content: str) -> None:
        self.duplicate: tuple[int, int, int] | None = None
        self._line = 0
        self._line_start = 0
        self._last = 0
        self._content = content
        self.root = self._scan()

    def _at(self, position: int) -> tuple[int, int]:
        lines = self._content.count("\n", self._last, position)
        if lines:
            self._line += lines
            self._line_start = self._content.rindex("\n", self._last, position) + 1
        self._last = position
        return self._line, position - self._line_start

    def _scan(self) -> Node:
        holder = Node(Kind.LIST, [], 0, 0)
        stack = [holder]
        key: list[tuple[str, int, int] | None] = [None]
        for token in _TOKEN.finditer(self._content):
            text = token.group()
            if text in ",:":
                continue
            if text in "]}":
                stack.pop()
                key.pop()
                continue
            line, column = self._at(token.start())
            parent = stack[-1]
            if parent.kind is Kind.MAP and key[-1] is None:
                key[-1] = (json.loads(text), line, column)
                continue
            kind = {"{": Kind.MAP, "[": Kind.LIST}.get(text, Kind.SCALAR)
            node = Node(kind, {} if kind is Kind.MAP else [] if kind is Kind.LIST else None, line, column)
            self._attach(parent, key[-1], node)
            key[-1] = None
            if kind is not Kind.SCALAR:
                stack.append(node)
                key.append(None)
        return holder.content[0] if holder.content else holder

    def _attach(self, parent: Node, key: tuple[str, int, int] | None, node: Node) -> None:
        if key is None:
            parent.content.append(node)
            return
        name, line, column = key
        if name in parent.content and self.duplicate is None:
            self.duplicate = (line, column, parent.content[name][0])
        parent.content[name] = (line, column, node)
