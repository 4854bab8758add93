"""MkDocs hook: fills the reference pages from the code, so that they cannot be out of date.

A page asks for a piece with a line `<!-- generated: NAME -->`; `PIECES` says who writes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from functions import component_functions
from pieces import actions, commands, errors, exit_codes, schemas, settings

PIECES: dict[str, Callable[[], str]] = {
    "actions": actions,
    "commands": commands,
    "component-functions": component_functions,
    "errors": errors,
    "exit-codes": exit_codes,
    "schemas": schemas,
    "settings": settings,
}
_MARK = re.compile(r"^<!-- generated: ([a-z-]+) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the generated pieces where the page asks for them."""
    return _MARK.sub(lambda match: PIECES[match.group(1)](), markdown)
