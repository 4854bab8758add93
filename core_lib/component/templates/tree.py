"""Template trees: YAML whose texts hold expressions and whose maps hold directives, compiled once, rendered for every component.

    $if EXPR / $elif EXPR / $else    a branch; as the only content of a map it is the map's value
    $for NAMES in EXPR               repeats its body: joins maps, is spliced into lists
    $merge: [tree, ...]              deep merge, later wins
    $set: {name: tree}               names for what follows and lies below
    $include PATH: {name: tree}      another tree, with these names; the path may hold expressions
    $omit                            as a text: leave this out

Joining is a deep merge: maps merge, everything else replaces, also CloudFormation's functions
(`{Ref: X}`). Expressions are those of the renderer's sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.framework.codecs import Document, Path, cfn_to_plain
from core_lib.framework.errors import RenderError, TemplateError
from core_lib.renderer import Expression, compile_text, has_expression, translate

OMIT = object()
"""What a tree gives that is to be left out."""

_OMIT_TEXT = "$omit"
_BRANCH = re.compile(r"\$(if|elif)\s+(.+)\Z", re.DOTALL)
_LOOP = re.compile(r"\$for\s+([A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*)\s+in\s+(.+)\Z", re.DOTALL)
_INCLUDE = re.compile(r"\$include\s+(\S.*)\Z")
_DEEPEST_INCLUDE = 20

Context = dict[str, Any]
Render = Callable[[Context], Any]
Load = Callable[[str], "Tree"]
"""Gives the tree of an included file."""


class Tree:
    """One compiled file."""

    def __init__(self, document: Document, load: Load) -> None:
        self._document = document
        self._load = load
        self._render = self._node(cfn_to_plain(document), ())

    def render(self, context: Context) -> Any:
        """The tree for one context; only inside a renderer session.

        Raises:
            RenderError: an expression fails; with file and line.
        """
        return self._render(context)

    def _node(self, value: Any, path: Path) -> Render:
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, Mapping):
            return self._map(value, path)
        if isinstance(value, list):
            return self._list(value, path)
        return lambda _context: value

    def _text(self, text: str, path: Path) -> Render:
        if text == _OMIT_TEXT:
            return lambda _context: OMIT
        if not has_expression(text):
            return lambda _context: text
        return self._expression(text, path)

    def _expression(self, text: str, path: Path) -> Render:
        try:
            compiled: Expression = compile_text(text)
        except RenderError as error:
            raise self._placed(error, path) from error

        def render(context: Context) -> Any:
            try:
                value = compiled.value(context)
            except Exception as error:
                raise self._placed(translate(error, text, context), path) from error
            return OMIT if value == _OMIT_TEXT else value

        return render

    def _test(self, text: str, path: Path) -> Render:
        return self._expression(text if has_expression(text) else "{{ " + text + " }}", path)

    def _placed(self, error: RenderError, path: Path) -> RenderError:
        return RenderError(error.message, where=self._document.locate(path), hint=error.hint)

    def _fault(self, message: str, path: Path, hint: str | None = None) -> TemplateError:
        return TemplateError(message, where=self._document.locate(path), hint=hint)

    def _list(self, items: list[Any], path: Path) -> Render:
        parts = [self._item(item, (*path, index)) for index, item in enumerate(items)]

        def render(context: Context) -> list[Any]:
            made: list[Any] = []
            for part, splices in parts:
                value = part(context)
                if value is OMIT:
                    continue
                if splices and isinstance(value, list):
                    made.extend(value)
                else:
                    made.append(value)
            return made

        return render

    def _item(self, item: Any, path: Path) -> tuple[Render, bool]:
        """An item of a list, and whether a list that it gives is spliced in."""
        if _is_loop(item):
            return self._loop(item, path), True
        return self._node(item, path), _is_branch(item)

    def _loop(self, value: Mapping[str, Any], path: Path) -> Callable[[Context], list[Any]]:
        key, body = next(iter(value.items()))
        match = _LOOP.match(key)
        if match is None:
            raise self._fault("not a $for", path)
        return self._rounds(match, body, (*path, key))

    def _map(self, value: Mapping[str, Any], path: Path) -> Render:
        if not any(key.startswith("$") or has_expression(key) for key in value):
            return self._plain_map(value, path)
        if _is_loop(value) and not isinstance(next(iter(value.values())), Mapping):
            return self._loop(value, path)
        entries = self._entries(value, path)
        if len(entries) == 1 and isinstance(entries[0], _Choice):
            return entries[0].render

        def render(context: Context) -> dict[str, Any]:
            made: dict[str, Any] = {}
            scope = context
            for entry in entries:
                if isinstance(entry, _Names):
                    scope = entry.added_to(scope)
                    continue
                found = entry.render(scope)
                if isinstance(found, dict):
                    join(made, found)
                elif found is not OMIT and found is not None:
                    raise self._fault("only a map can join a map", entry.path)
            return made

        return render

    def _plain_map(self, value: Mapping[str, Any], path: Path) -> Render:
        parts = [(key, self._node(item, (*path, key))) for key, item in value.items()]

        def render(context: Context) -> dict[str, Any]:
            made: dict[str, Any] = {}
            for key, part in parts:
                content = part(context)
                if content is not OMIT:
                    made[key] = content
            return made

        return render

    def _rounds(self, loop: re.Match[str], body: Any, path: Path) -> Callable[[Context], list[Any]]:
        names = [name.strip() for name in loop[1].split(",")]
        over = self._test(loop[2], path)
        once = self._node(body, path)
        splices = isinstance(body, list)

        def render(context: Context) -> list[Any]:
            found = over(context)
            items = found.items() if isinstance(found, Mapping) and len(names) > 1 else found
            if isinstance(items, (str, int, float, bool)) or items is None or items is OMIT:
                raise self._fault("only a list or a map can be gone through", path)
            made: list[Any] = []
            for item in items:
                values = [item] if len(names) == 1 else list(item)
                if len(values) != len(names):
                    raise self._fault(f"{len(names)} names for {len(values)} values", path)
                content = once({**context, **dict(zip(names, values, strict=True))})
                if content is OMIT:
                    continue
                if splices:
                    made.extend(content)
                else:
                    made.append(content)
            return made

        return render

    def _entries(self, value: Mapping[str, Any], path: Path) -> list[_Choice | _Joined | _Names]:
        entries: list[_Choice | _Joined | _Names] = []
        for key, item in value.items():
            below = (*path, key)
            if branch := _BRANCH.match(key):
                arm = (self._test(branch[2], below), self._node(item, below))
                if branch[1] == "if":
                    entries.append(_Choice(below, [arm]))
                else:
                    self._choice(entries, below).arms.append(arm)
            elif key == "$else":
                self._choice(entries, below).otherwise = self._node(item, below)
            elif loop := _LOOP.match(key):
                entries.append(_Joined(below, self._joined_rounds(loop, item, below)))
            elif key == "$merge":
                entries.append(_Joined(below, self._merged(item, below)))
            elif key == "$set":
                entries.append(_Names(below, self._names(item, below)))
            elif include := _INCLUDE.match(key):
                entries.append(_Joined(below, self._included(include[1], item, below)))
            elif key.startswith("$"):
                raise self._fault(
                    f"unknown directive {key!r}", below, "$if, $elif, $else, $for X in Y, $merge, $set, $include FILE"
                )
            else:
                entries.append(_Joined(below, self._entry(key, item, below)))
        return entries

    def _entry(self, key: str, value: Any, path: Path) -> Render:
        name, content = self._text(key, path), self._node(value, path)

        def render(context: Context) -> Any:
            known = name(context)
            found = OMIT if known is OMIT else content(context)
            if found is OMIT:
                return OMIT
            if not isinstance(known, str):
                raise self._fault("a key must be text", path)
            return {known: found}

        return render

    def _choice(self, entries: list[_Choice | _Joined | _Names], path: Path) -> _Choice:
        last = entries[-1] if entries else None
        if not isinstance(last, _Choice) or last.otherwise is not None:
            raise self._fault("$elif and $else follow an $if", path)
        return last

    def _joined_rounds(self, loop: re.Match[str], body: Any, path: Path) -> Render:
        rounds = self._rounds(loop, body, path)

        def render(context: Context) -> dict[str, Any]:
            made: dict[str, Any] = {}
            for found in rounds(context):
                if not isinstance(found, dict):
                    raise self._fault("only a map can join a map", path)
                join(made, found)
            return made

        return render

    def _merged(self, items: Any, path: Path) -> Render:
        if not isinstance(items, list):
            raise self._fault("$merge takes a list", path)
        parts = [self._node(item, (*path, index)) for index, item in enumerate(items)]

        def render(context: Context) -> dict[str, Any]:
            made: dict[str, Any] = {}
            for part in parts:
                content = part(context)
                if content is OMIT or content is None:
                    continue
                if not isinstance(content, dict):
                    raise self._fault("$merge takes maps", path)
                join(made, content)
            return made

        return render

    def _names(self, value: Any, path: Path) -> list[tuple[str, Render]]:
        if not isinstance(value, Mapping):
            raise self._fault("$set takes a map of names", path)
        return [(name, self._node(item, (*path, name))) for name, item in value.items()]

    def _included(self, file: str, given: Any, path: Path) -> Render:
        names = _Names(path, self._names(given or {}, path))
        which = self._text(file, path)
        loaded: dict[str, Tree] = {}

        def render(context: Context) -> Any:
            depth = context.get(_DEPTH, 0) + 1
            name = which(context)
            if depth > _DEEPEST_INCLUDE:
                raise self._fault(f"{name} includes itself without end", path)
            if name not in loaded:
                try:
                    loaded[name] = self._load(name)
                except KeyError:
                    raise self._fault(f"there is no file {name!r} to include", path) from None
            return loaded[name].render({**names.added_to(context), _DEPTH: depth})

        return render


@dataclass(slots=True)
class _Joined:
    """A key with its value, or something else whose result joins the map."""

    path: Path
    render: Render


@dataclass(slots=True)
class _Names:
    """A $set."""

    path: Path
    values: list[tuple[str, Render]]

    def added_to(self, context: Context) -> Context:
        """The context with these names; a later one sees the earlier ones."""
        scope = dict(context)
        for name, render in self.values:
            value = render(scope)
            if value is not OMIT:
                scope[name] = value
        return scope


class _Choice:
    """An $if with what follows it."""

    __slots__ = ("arms", "otherwise", "path")

    def __init__(self, path: Path, arms: list[tuple[Render, Render]]) -> None:
        self.path = path
        self.arms = arms
        self.otherwise: Render | None = None

    def render(self, context: Context) -> Any:
        for test, body in self.arms:
            answer = test(context)
            if answer is not OMIT and answer:
                return body(context)
        return self.otherwise(context) if self.otherwise is not None else OMIT


_DEPTH = "__depth__"


def _is_loop(item: Any) -> bool:
    return isinstance(item, Mapping) and len(item) == 1 and _LOOP.match(next(iter(item))) is not None


def _is_branch(item: Any) -> bool:
    return isinstance(item, Mapping) and bool(item) and all(_BRANCH.match(key) or key == "$else" for key in item)


def join(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Deep merge `more` into `into`: maps merge, everything else replaces. `more` is not changed and may be shared."""
    for key, value in more.items():
        below = into.get(key)
        if isinstance(below, dict) and isinstance(value, Mapping) and not _is_function(below) and not _is_function(value):
            merged = dict(below)
            join(merged, value)
            into[key] = merged
        else:
            into[key] = value


def _is_function(value: Mapping[str, Any]) -> bool:
    """Whether a map is a value of CloudFormation's or of ours (`{Ref: X}`, `{Fn::Sub: x}`) and not a map of things."""
    if len(value) != 1:
        return False
    key = next(iter(value))
    return key == "Ref" or key.startswith("Fn::")
