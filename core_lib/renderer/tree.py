"""Trees: whole specs, compiled once and rendered for every target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core_lib.framework.codecs import Path, TaggedValue
from core_lib.framework.errors import RenderError
from core_lib.renderer.bindings import bind
from core_lib.renderer.expressions import (
    Expression,
    check_runtime_filters,
    compile_text,
    full_context,
    has_expression,
    translate,
)
from core_lib.renderer.filters import CONTEXT_FILTERS
from core_lib.renderer.references import Reference
from core_lib.renderer.session import ReadFile, session

Locate = Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered tree.

    Texts with a run-time root are still there as written; `bindings` holds the compile-time values they need, `references` what
    they refer to. Parts of the tree without any expression are shared between renders: do not change them.
    """

    value: Any
    bindings: dict[str, Any] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class _Text:
    path: Path
    expression: Expression
    runtime: bool


@dataclass(frozen=True, slots=True)
class _Map:
    path: Path
    constants: dict[str, Any]
    entries: tuple[tuple[str | _Text, Any], ...]


@dataclass(frozen=True, slots=True)
class _List:
    constants: list[Any]
    entries: tuple[tuple[int, Any], ...]


@dataclass(frozen=True, slots=True)
class _Tagged:
    tag: str
    inner: Any


_Dynamic = (_Text, _Map, _List, _Tagged)


class CompiledTree:
    """A tree of maps, lists and texts whose expressions are compiled; made by `compile_tree`."""

    def __init__(self, value: Any, locate: Locate | None) -> None:
        self._locate = locate
        self._references: dict[Reference, None] = {}
        self._names: set[str] = set()
        self._reads_anything = False
        self._plan = self._compile(value, ())

    @property
    def references(self) -> tuple[Reference, ...]:
        """The run-time references of all texts, in the order they appear."""
        return tuple(self._references)

    @property
    def names(self) -> frozenset[str] | None:
        """The compile-time names that the texts use: with equal values for these, renders are equal. None = any name."""
        return None if self._reads_anything else frozenset(self._names)

    @property
    def is_constant(self) -> bool:
        """Whether there is nothing to render."""
        return not isinstance(self._plan, _Dynamic)

    def _compile(self, value: Any, path: Path) -> Any:
        if isinstance(value, str):
            return self._compile_text(value, path) if has_expression(value) else value
        if isinstance(value, Mapping):
            return self._compile_map(value, path)
        if isinstance(value, (list, tuple)):
            parts = [self._compile(item, (*path, position)) for position, item in enumerate(value)]
            entries = tuple((position, part) for position, part in enumerate(parts) if isinstance(part, _Dynamic))
            return _List([None if isinstance(part, _Dynamic) else part for part in parts], entries) if entries else value
        if isinstance(value, TaggedValue):
            inner = self._compile(value.value, path)
            return _Tagged(value.tag, inner) if isinstance(inner, _Dynamic) else value
        return value

    def _compile_map(self, value: Mapping[str, Any], path: Path) -> Any:
        constants: dict[str, Any] = {}
        entries: list[tuple[str | _Text, Any]] = []
        for key, item in value.items():
            below = (*path, key)
            name = self._compile_text(key, below) if has_expression(key) else key
            part = self._compile(item, below)
            if isinstance(name, _Text) or isinstance(part, _Dynamic):
                entries.append((name, part))
            if not isinstance(name, _Text):
                constants[name] = None if isinstance(part, _Dynamic) else part
        return _Map(path, constants, tuple(entries)) if entries else value

    def _compile_text(self, text: str, path: Path) -> _Text:
        try:
            expression = compile_text(text)
            runtime = bool(expression.uses.runtime)
            self._names.update(str(use.path[0]) for use in expression.uses.names)
            self._reads_anything |= bool(expression.uses.filters & CONTEXT_FILTERS)
            if runtime:
                check_runtime_filters(expression)
                self._references.update(dict.fromkeys(expression.uses.runtime))
        except RenderError as error:
            raise self._placed(error, path, None) from error
        return _Text(path, expression, runtime)

    def _placed(self, error: RenderError, path: Path, locate: Locate | None) -> RenderError:
        find = locate or self._locate
        return RenderError(error.message, where=find(path) if find else error.where, hint=error.hint)

    def render(
        self,
        context: Mapping[str, Any],
        *,
        locate: Locate | None = None,
        files: ReadFile | None = None,
        includes: ReadFile | None = None,
    ) -> Rendered:
        """The tree for one context (one target).

        Raises:
            RenderError: with the place of the text (`locate`, else the one given to `compile_tree`).
        """
        if self.is_constant:
            return Rendered(self._plan)
        with session(files, includes):
            run = _Run(self, full_context(context), locate)
            value = run.value(self._plan)
        return Rendered(value, run.bindings, self.references)

    def fault(self, error: Exception, text: _Text, names: Iterable[str], locate: Locate | None) -> RenderError:
        """The error of one text, with its place."""
        return self._placed(translate(error, text.expression.text, names), text.path, locate)


class _Run:
    """One render of a compiled tree."""

    __slots__ = ("bindings", "context", "locate", "tree")

    def __init__(self, tree: CompiledTree, context: dict[str, Any], locate: Locate | None) -> None:
        self.tree = tree
        self.context = context
        self.locate = locate
        self.bindings: dict[str, Any] = {}

    def value(self, plan: Any) -> Any:
        if isinstance(plan, _Text):
            return self.text(plan)
        if isinstance(plan, _Map):
            return self.map(plan)
        if isinstance(plan, _List):
            items = plan.constants.copy()
            for position, part in plan.entries:
                items[position] = self.value(part)
            return items
        if isinstance(plan, _Tagged):
            return TaggedValue(plan.tag, self.value(plan.inner))
        return plan

    def map(self, plan: _Map) -> dict[str, Any]:
        result = plan.constants.copy()
        for name, part in plan.entries:
            if isinstance(name, str):
                result[name] = self.value(part)
                continue
            key = self.text(name)
            if not isinstance(key, str) or key in result:
                problem = f"the key {key!r} is there twice" if isinstance(key, str) else "a key must be text"
                raise self.tree.fault(RenderError(problem), name, self.context, self.locate)
            result[key] = self.value(part)
        return result

    def text(self, text: _Text) -> Any:
        expression = text.expression
        try:
            if not text.runtime:
                return expression.value(self.context)
            bind(expression.uses.names, self.context, self.bindings)
        except Exception as error:
            raise self.tree.fault(error, text, self.context, self.locate) from error
        return expression.text


def compile_tree(value: Any, locate: Locate | None = None) -> CompiledTree:
    """Compile every text of a tree once, for many renders.

    `locate` gives `file:line` of a path in the tree, for errors.

    Raises:
        RenderError: a text is not valid.
    """
    return CompiledTree(value, locate)
