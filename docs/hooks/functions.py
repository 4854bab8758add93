"""The generated piece about functions of components."""

from __future__ import annotations

from collections.abc import Iterator

from core_lib.component.functions import FUNCTIONS, PREFIX, Function
from core_lib.framework.codecs import dump_yaml


def component_functions() -> str:
    """Every function with its example and its arguments."""
    return "\n".join(line for _, function in sorted(FUNCTIONS.items()) for line in _lines(function))


def _lines(function: Function) -> Iterator[str]:
    written = dump_yaml({f"{PREFIX}{function.name}": function.example}).rstrip()
    yield from (f"## {function.name}", "", function.purpose, "", "```yaml", written, "```", "")
    yield from ("| argument | meaning |", "|---|---|")
    for argument in function.arguments:
        needed = "" if argument.required else "*optional.* "
        choices = f" One of {', '.join(f'`{choice}`' for choice in argument.choices)}." if argument.choices else ""
        yield f"| `{argument.name}` | {needed}{argument.purpose}{choices} |"
    yield ""
