"""MkDocs hook: fills the reference pages from the code, so that they cannot be out of date.

A page asks for a piece with a line `<!-- generated: NAME -->`; `PIECES` says who writes it. The pages of component types are
written as a whole and take their places in the navigation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from component_pieces import component_emulator, component_types, guard_rules, navigation, pages
from functions import component_functions
from mkdocs.structure.files import File
from pieces import actions, commands, errors, exit_codes, schemas, settings

PIECES: dict[str, Callable[[], str]] = {
    "actions": actions,
    "commands": commands,
    "component-emulator": component_emulator,
    "component-functions": component_functions,
    "component-types": component_types,
    "errors": errors,
    "exit-codes": exit_codes,
    "guard-rules": guard_rules,
    "schemas": schemas,
    "settings": settings,
}
_MARK = re.compile(r"^<!-- generated: ([a-z-]+) -->$", re.MULTILINE)
_TYPES = "reference/component-types.md"


def on_config(config: Any, **_: Any) -> Any:
    """Put the pages of the component types below their overview."""
    for section in config["nav"]:
        for name, entries in section.items():
            if name == "Reference":
                section[name] = [_with_types(entry) for entry in entries]
    return config


def _with_types(entry: dict[str, str]) -> Any:
    title, page = next(iter(entry.items()))
    return {title: [{"All types": page}, *navigation()]} if page == _TYPES else entry


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """Add the page of every component type."""
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the generated pieces where the page asks for them."""
    return _MARK.sub(lambda match: PIECES[match.group(1)](), markdown)
