"""Keys of components and entries: PascalCase as in the manual, snake_case too, each once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic.alias_generators import to_snake

from core_lib.framework.codecs import Path, nearest

_PIPELINE = "Pipeline::"
_LONGEST_SHOWN = 60


class Keys:
    """The keys that a map may have, in all their spellings."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._spellings = {spelling: name for name in self.names for spelling in _spellings(name)}

    def sorted_out(self, data: Mapping[str, Any]) -> tuple[dict[str, tuple[str, Any]], list[tuple[str, str]]]:
        """The entries of a map by name, each with its key as written; and for every key that is no good, what is wrong."""
        found: dict[str, tuple[str, Any]] = {}
        faults: list[tuple[str, str]] = []
        for key, value in data.items():
            name = self._spellings.get(key)
            if name is None:
                faults.append((key, f"unknown key {shown(key)}; {self._advice(key)}"))
            elif name in found:
                faults.append((key, f"{key} and {found[name][0]} mean the same: keep one of them"))
            else:
                found[name] = (key, value)
        return found, faults

    def _advice(self, key: str) -> str:
        close = nearest(key, self._spellings)
        return f"did you mean {self._spellings[close]}?" if close else f"known are {', '.join(self.names)}"


def _spellings(name: str) -> Iterator[str]:
    yield name
    if name.startswith(_PIPELINE):
        yield f"pipeline_{to_snake(name.removeprefix(_PIPELINE))}"
        yield name.lower()
    else:
        yield to_snake(name)


def shown(key: object) -> str:
    """A name from outside, fit for a message."""
    text = str(key)
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}...")


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, (int, float)):
        return "a number"
    return "a list" if isinstance(value, (list, tuple)) else "a map"


def dotted(path: Path) -> str:
    """`.A.B[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step[:_LONGEST_SHOWN]}" for step in path)
