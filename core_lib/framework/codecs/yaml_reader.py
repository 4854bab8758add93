"""Reading YAML: fast (libyaml's event stream), bounded, and with the place of every value."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml
from yaml._yaml import CParser

from core_lib.framework.codecs.document import Document
from core_lib.framework.codecs.limits import DEFAULT_LIMITS, Limits
from core_lib.framework.codecs.nodes import Kind, Node, construct
from core_lib.framework.codecs.scalars import MOST_DIGITS, resolve_plain
from core_lib.framework.codecs.text import decode
from core_lib.framework.errors import CodecError

_CORE = "tag:yaml.org,2002:"
_SCALAR_TAGS = {f"{_CORE}{name}": name for name in ("str", "int", "float", "bool", "null")}
_CONTAINER_TAGS = {f"{_CORE}map", f"{_CORE}seq"}
_TYPES: dict[str, type | tuple[type, ...]] = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}
_MERGE = "<<"


def load_yaml(text: str | bytes, source: str, *, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Read one YAML document. An empty text is a document whose data is None.

    Raises:
        CodecError: not UTF-8, not YAML, several documents, a duplicate key, an unknown tag, or more than `limits` allow.
    """
    root = _Composer(decode(text, source, limits), source, limits).compose()
    if root is None:
        return Document(None, source)
    return Document(construct(root, lambda node, message: _fault(source, node.line, node.column, message)), source, lambda: root)


def _fault(source: str, line: int, column: int, message: str, hint: str | None = None) -> CodecError:
    return CodecError(message, where=f"{source}:{line + 1}:{column + 1}", hint=hint)


Event = Any
"""An event of the parser. (The published types leave marks and values optional; the parser always sets them.)"""


class _Key(NamedTuple):
    """A key whose value is still to come."""

    text: str
    line: int
    column: int
    merge: bool


class _Composer:
    """Turns events into nodes with an explicit stack, so that no nesting can exhaust the interpreter's."""

    def __init__(self, text: str, source: str, limits: Limits) -> None:
        self._text = text
        self._source = source
        self._limits = limits
        self._anchors: dict[str, Node] = {}
        self._stack: list[Node] = []
        self._keys: list[_Key | None] = []
        self._merges: list[list[tuple[_Key, Node]]] = []
        self._root: Node | None = None
        self._weight = 0

    def compose(self) -> Node | None:
        """The root node, or None when the text holds no document."""
        try:
            parser = CParser(self._text)
            try:
                self._consume(parser)
            finally:
                parser.dispose()
        except yaml.YAMLError as error:
            raise self._syntax_fault(error) from error
        return self._root

    def _consume(self, parser: CParser) -> None:
        documents = 0
        while True:
            event = parser.get_event()
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._open(event)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self._close()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._fault_at(event, "a second document starts here", "one file holds one document")
            elif isinstance(event, yaml.StreamEndEvent):
                return

    def _fault_at(self, event: Event, message: str, hint: str | None = None) -> CodecError:
        mark = event.start_mark
        return _fault(self._source, mark.line, mark.column, message, hint)

    def _syntax_fault(self, error: yaml.YAMLError) -> CodecError:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        hint = "YAML is indented with spaces, never with tabs" if "cannot start any token" in problem else None
        if mark is None:
            return CodecError(f"not readable as YAML: {problem}", where=self._source, hint=hint)
        return _fault(self._source, mark.line, mark.column, f"not readable as YAML: {problem}", hint)

    def _scalar(self, event: Event) -> None:
        mark = event.start_mark
        if self._expects_key():
            if event.tag is not None and event.tag != f"{_CORE}str":
                raise self._fault_at(event, "a key cannot have a tag")
            if event.implicit[0] and not event.value:
                raise self._fault_at(event, "a key is empty")
            self._key(event)
            return
        tag = event.tag
        if tag is None or tag == "!":
            value = resolve_plain(event.value) if tag is None and event.implicit[0] else event.value
            node = Node(Kind.SCALAR, value, mark.line, mark.column)
        elif tag in _SCALAR_TAGS:
            node = Node(Kind.SCALAR, self._explicit(event, _SCALAR_TAGS[tag]), mark.line, mark.column)
        else:
            content = event.value if event.style else resolve_plain(event.value)
            node = Node(Kind.SCALAR, "" if content is None else content, mark.line, mark.column, tag)
        self._add(node, event)

    def _explicit(self, event: Event, name: str) -> Any:
        if name == "str":
            return event.value
        value = resolve_plain(event.value)
        if name == "int" and isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS:
            return int(value)
        if not isinstance(value, _TYPES[name]) or (name != "bool" and isinstance(value, bool)):
            raise self._fault_at(event, f"{event.value[:40]!r} is not a value of !!{name}")
        return float(value) if isinstance(value, int) and name == "float" else value

    def _expects_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].kind is Kind.MAP and self._keys[-1] is None

    def _key(self, event: Event) -> None:
        mark = event.start_mark
        text = event.value
        merge = event.implicit[0] and text == _MERGE
        known = None if merge else self._stack[-1].content.get(text)
        if known is not None:
            raise self._fault_at(event, f"the key {text[:60]!r} is given twice", f"the first one is in line {known[0] + 1}")
        if event.anchor:
            self._anchors[event.anchor] = Node(Kind.SCALAR, text, mark.line, mark.column)
        self._keys[-1] = _Key(text, mark.line, mark.column, merge)

    def _open(self, event: Event) -> None:
        if self._expects_key():
            raise self._fault_at(event, "a key must be text, not a map or a list", "quote it if it starts with '{' or '['")
        if len(self._stack) >= self._limits.depth:
            raise self._fault_at(event, f"nested deeper than {self._limits.depth} levels")
        is_map = isinstance(event, yaml.MappingStartEvent)
        tag = event.tag if event.tag not in _CONTAINER_TAGS and event.tag != "!" else None
        mark = event.start_mark
        node = Node(Kind.MAP if is_map else Kind.LIST, {} if is_map else [], mark.line, mark.column, tag)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._stack.append(node)
        self._keys.append(None)
        self._merges.append([])

    def _close(self) -> None:
        node = self._stack.pop()
        self._keys.pop()
        for key, merged in self._merges.pop():
            self._merge(node, key, merged)
        node.open = False
        self._attach(node)

    def _alias(self, event: Event) -> None:
        target = self._anchors.get(event.anchor)
        if target is None:
            raise self._fault_at(event, f"the alias *{event.anchor[:60]} has no anchor before it")
        if target.open:
            raise self._fault_at(event, f"the alias *{event.anchor[:60]} contains itself")
        if self._expects_key():
            raise self._fault_at(event, "an alias cannot be a key")
        if target.kind is Kind.SCALAR:
            mark = event.start_mark
            target = Node(Kind.SCALAR, target.content, mark.line, mark.column, target.tag)
        self._attach(target)

    def _add(self, node: Node, event: Event) -> None:
        if event.anchor:
            self._anchors[event.anchor] = node
        self._attach(node)

    def _attach(self, node: Node) -> None:
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1]
        parent.weight += node.weight
        parent.height = max(parent.height, node.height + 1)
        if parent.weight > self._limits.nodes:
            raise _fault(self._source, node.line, node.column, f"more than {self._limits.nodes} values, aliases included")
        if parent.height + len(self._stack) - 1 > self._limits.depth:
            raise _fault(self._source, node.line, node.column, f"nested deeper than {self._limits.depth} levels")
        if parent.kind is Kind.LIST:
            parent.content.append(node)
            return
        key = self._keys[-1]
        self._keys[-1] = None
        if key is None:
            raise _fault(self._source, node.line, node.column, "a key must be text")
        if key.merge:
            self._merges[-1].append((key, node))
        else:
            parent.content[key.text] = (key.line, key.column, node)

    def _merge(self, node: Node, key: _Key, merged: Node) -> None:
        """`<<`: take over what the map does not have itself; of several maps the earlier one wins."""
        for source in merged.content if merged.kind is Kind.LIST else [merged]:
            if source.kind is not Kind.MAP:
                raise _fault(self._source, key.line, key.column, "'<<' merges a map or a list of maps")
            for name, entry in source.content.items():
                node.content.setdefault(name, entry)
