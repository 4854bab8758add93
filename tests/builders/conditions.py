"""DynamoDB's expressions, as far as the CMDB uses them.

Conditions with AND, OR, NOT and brackets, comparisons, and the functions of a path; updates with SET of plain values and REMOVE.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

Item = Mapping[str, Any]
Values = Mapping[str, Any]
Names = Mapping[str, str]
Check = Callable[[Item, Names, Values], bool]

_TOKEN = re.compile(r"\s*(<=|>=|<>|[=<>(),]|[#:]?[A-Za-z_][\w.-]*|[#:]\d+)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def holds(expression: str, item: Item, names: Names, values: Values) -> bool:
    """Whether a condition holds for an item ({} = there is none)."""
    return _parsed(expression)(item, names, values)


def updated(expression: str, item: Item, names: Names, values: Values) -> dict[str, Any]:
    """The item after an update expression."""
    after = dict(item)
    for word, body in re.findall(r"(SET|REMOVE)\s+(.*?)(?=\s+(?:SET|REMOVE)\s|$)", expression):
        for part in body.split(","):
            left, _, right = (piece.strip() for piece in part.partition("="))
            if word == "SET":
                after[names.get(left, left)] = values[right]
            else:
                after.pop(names.get(left, left), None)
    return after


@lru_cache(maxsize=500)
def _parsed(expression: str) -> Check:
    tokens = _TOKEN.findall(expression)
    if "".join(tokens) != re.sub(r"\s+", "", expression):
        raise NotImplementedError(f"this stand-in for DynamoDB does not understand {expression!r}")
    check = _either(tokens)
    if tokens:
        raise NotImplementedError(f"left over from {expression!r}: {tokens}")
    return check


def _either(tokens: list[str]) -> Check:
    checks = [_both(tokens)]
    while tokens and tokens[0].upper() == "OR":
        tokens.pop(0)
        checks.append(_both(tokens))
    return checks[0] if len(checks) == 1 else lambda item, names, values: any(check(item, names, values) for check in checks)


def _both(tokens: list[str]) -> Check:
    checks = [_single(tokens)]
    while tokens and tokens[0].upper() == "AND":
        tokens.pop(0)
        checks.append(_single(tokens))
    return checks[0] if len(checks) == 1 else lambda item, names, values: all(check(item, names, values) for check in checks)


def _single(tokens: list[str]) -> Check:
    word = tokens.pop(0)
    if word == "(":
        inside = _either(tokens)
        tokens.pop(0)
        return inside
    if word.upper() == "NOT":
        negated = _single(tokens)
        return lambda item, names, values: not negated(item, names, values)
    if tokens and tokens[0] == "(":
        return _function(word, tokens)
    compare, right = _COMPARE[tokens.pop(0)], tokens.pop(0)
    unequal = compare is operator.ne

    def check(item: Item, names: Names, values: Values) -> bool:
        one, other = _operand(word, item, names, values), _operand(right, item, names, values)
        if one is None or other is None or one[0] != other[0]:
            return unequal
        return compare(one[1], other[1])

    return check


def _function(name: str, tokens: list[str]) -> Check:
    arguments = tokens[1 : tokens.index(")")]
    del tokens[: len(arguments) + 2]
    path = arguments[0]
    if name == "begins_with":
        head = arguments[-1]
        return lambda item, names, values: _begins(_operand(path, item, names, values), _operand(head, item, names, values))
    wanted = {"attribute_exists": True, "attribute_not_exists": False}[name]
    return lambda item, names, values: (names.get(path, path) in item) is wanted


def _begins(text: tuple[str, Any] | None, head: tuple[str, Any] | None) -> bool:
    return text is not None and head is not None and str(text[1]).startswith(str(head[1]))


def _operand(word: str, item: Item, names: Names, values: Values) -> tuple[str, Any] | None:
    typed = values[word] if word.startswith(":") else item.get(names.get(word, word))
    if typed is None:
        return None
    ((kind, value),) = typed.items()
    return kind, Decimal(value) if kind == "N" else value
