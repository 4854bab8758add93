"""A file to begin a component with: the type's example under the user's name, with what else could be written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from textwrap import wrap

from core_lib.component.definitions.components import NAME
from core_lib.component.library import ComponentType
from core_lib.framework.errors import InputError

_WIDTH = 110


def starter(kind: ComponentType, written_type: str, name: str, taken: Iterable[str]) -> str:
    """The text of the file.

    Args:
        kind: the type.
        written_type: the name of the type that was asked for; it may be an alias.
        name: the component's name.
        taken: names of components that the package has already; helpers of the example of these names are left out.

    Raises:
        InputError: a name that a component cannot have.
    """
    if not NAME.match(name):
        raise InputError(f"a component cannot be called {name!r}", where="NAME", hint="letters, digits and hyphens, at most 63")
    blocks = dict(_blocks(kind.files["example.yaml"].decode()))
    main = next((key for key, text in blocks.items() if _type_of(text) == kind.name), next(iter(blocks)))
    text = _renamed(blocks.pop(main), main, name).replace(f"Type: {kind.name}", f"Type: {written_type}", 1)
    helpers = [_renamed(block, main, name).rstrip() for key, block in blocks.items() if key not in set(taken)]
    parts = ["\n".join(_heading(kind, text)), text.rstrip()]
    parts += (
        [
            "\n# What the example above uses; replace it by what you have. Files that it names belong into platform/files.\n"
            + "\n".join(helpers)
        ]
        if helpers
        else []
    )
    return "\n".join(parts) + "\n"


def _heading(kind: ComponentType, text: str) -> Iterator[str]:
    yield from _comment(f"{kind.name}: {kind.file.purpose}")
    yield f"# All about it: core component show {kind.name}"
    rest = {
        key: rule
        for key, rule in kind.file.configuration.items()
        if not re.search(rf"^ +\S*{re.escape(key.lstrip('*'))}:", text, re.MULTILINE)
    }
    if rest:
        yield "#"
        yield "# Configuration may hold as well:"
        for key, rule in rest.items():
            yield from _comment(f"  {key} ({rule.count}): {rule.purpose}")
    if kind.file.options:
        yield "#"
        yield "# Options:"
        for key, schema in kind.file.options.items():
            default = f" (default {json.dumps(schema['default'])})" if "default" in schema else ""
            yield from _comment(f"  {key}{default}: {schema.get('description', '')}".rstrip(": "))


def _comment(text: str) -> Iterator[str]:
    yield from wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="#     ")


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """The components of a file as they are written, comments and all."""
    starts = [(match[1], match.start()) for match in re.finditer(r"^([A-Za-z0-9_-]+):", text, re.MULTILINE)]
    for (key, start), end in zip(starts, [*(start for _, start in starts[1:]), len(text)], strict=True):
        yield key, text[start:end]


def _type_of(block: str) -> str | None:
    found = re.search(r"\bType: *[\"']?([A-Za-z0-9:_]+)", block)
    return found[1] if found else None


def _renamed(block: str, old: str, new: str) -> str:
    return re.sub(rf"(?<![\w./-]){re.escape(old)}(?![\w./-])", new, block)
