"""The book of rules that counts for a compile: the platform's own, then the organization's, then the package's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import translate
from functools import cache
from importlib.resources import files as resource_files
from typing import Any

from core_lib.component.guard.conditions import AGAINST, FOR, Condition, Scope, compile_condition
from core_lib.component.guard.finding import SEVERITIES
from core_lib.component.guard.paths import RESOURCE, Place, Route, found, route
from core_lib.component.guard.rule import OUTPUT, PARAMETER, BuiltinFile, Rule, RuleChange, RuleFile
from core_lib.component.guard.texts import WordRules
from core_lib.framework.codecs import Document, load_document, nearest, parse
from core_lib.framework.errors import SchemaError

FACT = "GuardRules"
FOLDERS = ("platform/rules/", "rules/")
_STRICTER = {severity: rank for rank, severity in enumerate(SEVERITIES)}


class ResourceRule:
    """A rule about resources, compiled."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._each = [route(path) for path in rule.each]
        self._when: Condition | None = None if rule.when is None else compile_condition(rule.when)
        self._claim = compile_condition(rule.forbid if rule.require is None else rule.require)
        self._guilt = FOR if rule.require is None else AGAINST

    def broken_by(self, properties: Any, scope: Scope) -> Iterator[tuple[Place, Any]]:
        """The places that break the rule, with what stands there; see `RESOURCE` for where a place starts."""
        if not self._each:
            if self._is_broken(properties, scope):
                yield self._blamed((), properties, scope)
            return
        for path in self._each:
            for place, node in _looked_up(path, properties, scope):
                if self._is_broken(node, scope):
                    yield self._blamed(place, node, scope)

    def _blamed(self, place: Place, node: Any, scope: Scope) -> tuple[Place, Any]:
        below = self._claim.blame(node, scope, self._guilt)
        if below[:1] == (RESOURCE,):
            return below, _value_at(scope.resource, below[1:])
        return (*place, *below), _value_at(node, below)

    def _is_broken(self, node: Any, scope: Scope) -> bool:
        if self._when is not None and not self._when.test(node, scope) & FOR:
            return False
        return bool(self._claim.test(node, scope) & self._guilt)


def _looked_up(path: Route, properties: Any, scope: Scope) -> list[tuple[Place, Any]]:
    known = scope.looked_up.get(path)
    if known is None:
        base, start = (scope.resource, (RESOURCE,)) if path.from_resource else (properties, ())
        known = [((*start, *place), node) for place, node in found(base, path.steps, scope.parameters)]
        scope.looked_up[path] = known
    return known


def _value_at(node: Any, place: Place) -> Any:
    for step in place:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return None
    return node


class Rulebook:
    """Rules, compiled and indexed by resource type."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules: dict[str, Rule] = {rule.id: rule for rule in rules}
        self.words = WordRules(self.rules.values())
        self._compiled = [ResourceRule(rule) for rule in self.rules.values() if rule.for_]
        self._by_type: dict[str, tuple[ResourceRule, ...]] = {}

    def about(self, resource_type: str) -> tuple[ResourceRule, ...]:
        """The rules about a resource type (or about Parameter, Output)."""
        known = self._by_type.get(resource_type)
        if known is None:
            known = tuple(each for each in self._compiled if _is_for(each.rule, resource_type))
            self._by_type[resource_type] = known
        return known

    def extended(self, entries: Iterable[Rule | RuleChange], source: str, *, may_relax: bool) -> Rulebook:
        """This book with more rules, and with other severities.

        Args:
            entries: in their order.
            source: the file or fact, for messages.
            may_relax: whether a rule may become weaker or be replaced; a package may only add rules and make rules stricter.

        Raises:
            SchemaError: an entry about a rule that is not there, or that may not be changed like that.
        """
        rules = dict(self.rules)
        for entry in entries:
            before = rules.get(entry.id)
            if isinstance(entry, Rule):
                if before is not None and not may_relax:
                    raise SchemaError(f"there is a rule {entry.id} already", where=source, hint="give yours another Id")
                rules[entry.id] = entry
            elif before is None:
                near = nearest(entry.id, rules)
                raise SchemaError(f"there is no rule {entry.id}", where=source, hint=f"did you mean {near}?" if near else None)
            elif changed := _changed(before, entry, source, may_relax=may_relax):
                rules[entry.id] = changed
            else:
                del rules[entry.id]
        return Rulebook(rules.values())


def _is_for(rule: Rule, resource_type: str) -> bool:
    if resource_type in (PARAMETER, OUTPUT):
        return resource_type in rule.for_
    return any(re.match(translate(pattern), resource_type) for pattern in rule.for_)


def _changed(rule: Rule, change: RuleChange, source: str, *, may_relax: bool) -> Rule | None:
    if change.severity != "off" and (may_relax or _STRICTER[change.severity] <= _STRICTER[rule.severity]):
        waivable = rule.waivable if change.waivable is None or not may_relax else change.waivable
        return rule.model_copy(update={"severity": change.severity, "waivable": waivable})
    if may_relax:
        return None
    raise SchemaError(
        f"a package may not weaken the rule {rule.id} from {rule.severity} to {change.severity}",
        where=source,
        hint="accept single findings with a reason (Metadata: {Guard: {RULE: why}}), or change it in the fact GuardRules",
    )


@cache
def builtin_rules() -> Rulebook:
    """The platform's own rules."""
    folder = resource_files("core_lib.component.guard") / "rules"
    rules: list[Rule] = []
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".yaml"):
            rules += parse(BuiltinFile, load_document(file.read_bytes(), f"rules/{file.name}")).rules
    return Rulebook(rules)


def rulebook(facts: Mapping[str, Any], package_files: Mapping[str, bytes]) -> Rulebook:
    """The book for a compile.

    Args:
        facts: `GuardRules` is a list of rules and changes of the organization.
        package_files: files of the package by path; those in `platform/rules/` (or `rules/`) count.

    Raises:
        CodecError, SchemaError: rules that cannot be read or may not be.
    """
    book = builtin_rules()
    if given := facts.get(FACT):
        document = Document({"Rules": given}, f"fact {FACT}")
        book = book.extended(parse(RuleFile, document).rules, document.source, may_relax=True)
    for path in sorted(package_files):
        if path.startswith(FOLDERS) and path.endswith((".yaml", ".yml", ".json")):
            document = load_document(package_files[path], path)
            book = book.extended(parse(RuleFile, document).rules, document.source, may_relax=False)
    return book
