"""Waves as they are written: in the spec file under `Waves`, or in the payload's `Options.Waves`, which replace the file's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core_lib.deployspec.contexts import with_aliases
from core_lib.deployspec.spec_file import Section, SpecFile
from core_lib.framework.codecs import parse
from core_lib.framework.errors import CompileError, SchemaError
from core_lib.framework.models import REST, Wave
from core_lib.renderer import compile_tree


@dataclass(frozen=True)
class WaveSource:
    """One wave and where it is written."""

    wave: Wave
    where: str
    section: Section | None = None
    title: str = ""

    @property
    def takes_rest(self) -> bool:
        """Whether the wave takes everything that no earlier one has."""
        return self.wave.targets is None and self.wave.share is None

    def where_of(self, *path: str | int) -> str:
        """`file:line:column` of a part of it; the wave's own place where the part is not written out."""
        if self.section is None or (path and not _has(self.section.data, path)):
            return self.where
        return self.section.locate(path)


def read_waves(file: SpecFile, given: Sequence[Wave] | None, facts: Mapping[str, Any]) -> tuple[WaveSource, ...]:
    """The waves that count for a file, with names that are unique.

    Raises:
        SchemaError, RenderError: something in them cannot be used; with file and line.
    """
    if given is not None:
        sources = [WaveSource(wave, f"Options.Waves[{index}]", title=wave.title) for index, wave in enumerate(given)]
    else:
        sources = _written(file.waves, with_aliases(dict(facts))) if file.waves is not None else []
    seen: dict[str, WaveSource] = {}
    for source in sources:
        if (other := seen.setdefault(source.title, source)) is not source:
            raise SchemaError(
                f"two waves are named {source.title!r}", where=source.where, hint=f"give one a Name; the other: {other.where}"
            )
    return tuple(sources)


def rest(names: Collection[str]) -> WaveSource:
    """The last wave, which nobody wrote: what is left. Its name is none of these."""
    name = REST
    while name in names:
        name = f"the {name}"
    return WaveSource(Wave(name=name), "the last wave", title=name)


def _written(section: Section, context: dict[str, Any]) -> list[WaveSource]:
    if not isinstance(section.data, list):
        raise SchemaError("'Waves' is a list of waves", where=section.locate())
    return [_read(Section(entry, (*section.path, index), section.document), context) for index, entry in enumerate(section.data)]


def _read(section: Section, context: dict[str, Any]) -> WaveSource:
    rendered = compile_tree(section.data, section.locate).render(context)
    if rendered.references:
        raise CompileError("waves must be known at compile time", where=section.locate(), hint="use facts, not outputs or vars")
    wave = parse(Wave, section.document, path=section.path, value=rendered.value)
    return WaveSource(wave, section.locate(), section, wave.title)


def _has(data: Any, path: Sequence[str | int]) -> bool:
    for step in path:
        if isinstance(step, int):
            if not isinstance(data, list) or step >= len(data):
                return False
        elif not isinstance(data, dict) or step not in data:
            return False
        data = data[step]
    return True
