"""Texts of names, dots and literal text only, taken apart without the template engine: most texts of a definition are such."""

from __future__ import annotations

import re

from core_lib.renderer.limits import LIMITS

_NAME = r"[A-Za-z][A-Za-z0-9_]*"
_CHAIN = re.compile(rf"\{{\{{\s*({_NAME}(?:\.{_NAME})*)\s*\}}\}}")
_LEFT_TO_THE_ENGINE = ("{{", "}}", "{%", "{#", "\r")
_WORDS_OF_THE_ENGINE = frozenset(
    [
        "and",
        "else",
        "false",
        "False",
        "if",
        "in",
        "is",
        "none",
        "None",
        "not",
        "or",
        "true",
        "True",
        "loop",
        "self",
        "super",
        "caller",
    ],
)

Piece = str | tuple[str, ...]


def take_apart(text: str) -> tuple[Piece, ...] | None:
    """Literal texts and chains of names (`a.b.c` as a tuple), in order; None for a text that needs the engine."""
    if len(text) > LIMITS.source:
        return None
    pieces: list[Piece] = []
    at = 0
    for match in _CHAIN.finditer(text):
        chain = tuple(match.group(1).split("."))
        if chain[0] in _WORDS_OF_THE_ENGINE or not _add_literal(text[at : match.start()], pieces):
            return None
        pieces.append(chain)
        at = match.end()
    if not _add_literal(text[at:], pieces):
        return None
    return tuple(pieces)


def _add_literal(literal: str, pieces: list[Piece]) -> bool:
    if any(mark in literal for mark in _LEFT_TO_THE_ENGINE) or literal.endswith("{"):
        return False
    if literal:
        pieces.append(literal)
    return True
