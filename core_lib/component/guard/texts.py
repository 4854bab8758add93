"""Rules about words: texts that no template may hold, wherever they stand, and names whose value may not be written out.

One walk over a template serves all such rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.component.guard.paths import Place
from core_lib.component.guard.patterns import Pattern
from core_lib.component.guard.rule import Rule
from core_lib.component.guard.values import is_whole, known_text

_SHORTEST = 8
_RESOLVED_LATER = ("{{resolve:secretsmanager:", "{{resolve:ssm-secure:")


@dataclass(frozen=True, slots=True)
class Word:
    """A text of a template, where it stands, and the rule that it breaks."""

    rule: Rule
    place: Place


class WordRules:
    """The rules of a book that are about words."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        chosen = [rule for rule in rules if rule.text or rule.keys]
        self._texts = [(rule, _joined(rule.text), _joined(rule.unless)) for rule in chosen if rule.text]
        self._keys = [(rule, Pattern([rule.keys]), _joined(rule.unless)) for rule in chosen if rule.keys]
        self._any_text = _joined(pattern for rule in chosen for pattern in rule.text)
        self._any_key = _joined(rule.keys for rule in chosen if rule.keys)

    def __bool__(self) -> bool:
        return bool(self._texts or self._keys)

    def broken_by(self, tree: Any) -> Iterator[Word]:
        """Every text of a tree that breaks a rule."""
        return self._walk(tree, ())

    def _walk(self, node: Any, place: Place) -> Iterator[Word]:
        if isinstance(node, dict):
            yield from self._pair(node, place)
            for name, value in node.items():
                if isinstance(value, str):
                    yield from self._text(value, place, name)
                    if self._any_key and self._any_key.search(name):
                        yield from self._named(name, value, (*place, name))
                elif isinstance(value, (dict, list)):
                    if self._any_key and self._any_key.search(name) and is_whole(value):
                        yield from self._named(name, known_text(value) or "", (*place, name))
                    yield from self._walk(value, (*place, name))
        elif isinstance(node, list):
            for index, value in enumerate(node):
                if isinstance(value, str):
                    yield from self._text(value, place, index)
                elif isinstance(value, (dict, list)):
                    yield from self._walk(value, (*place, index))

    def _pair(self, node: Mapping[str, Any], place: Place) -> Iterator[Word]:
        """`{Name: DB_PASSWORD, Value: ...}`, as containers and build projects write their variables."""
        name = node.get("Name")
        if name is None or "Value" not in node or not isinstance(name, str) or self._any_key is None:
            return
        if self._any_key.search(name) and node.get("Type", "PLAINTEXT") == "PLAINTEXT" and is_whole(node["Value"]):
            yield from self._named(name, known_text(node["Value"]) or "", (*place, "Value"))

    def _text(self, text: str, place: Place, step: str | int) -> Iterator[Word]:
        if len(text) < _SHORTEST or self._any_text is None or not self._any_text.search(text):
            return
        for rule, pattern, unless in self._texts:
            if pattern is not None and _hits(pattern, unless, text):
                yield Word(rule, (*place, step))

    def _named(self, name: str, value: str, place: Place) -> Iterator[Word]:
        if not value or any(mark in value for mark in _RESOLVED_LATER):
            return
        for rule, pattern, unless in self._keys:
            if pattern.search(name) and not (unless and unless.search(value)):
                yield Word(rule, place)


def _hits(pattern: Pattern, unless: Pattern | None, text: str) -> bool:
    """Whether a match of `pattern` stands in the text that `unless` does not excuse."""
    return any(not (unless and unless.search(match)) for match in pattern.matches(text))


def _joined(patterns: Iterable[str]) -> Pattern | None:
    kept = list(patterns)
    return Pattern(kept) if kept else None
