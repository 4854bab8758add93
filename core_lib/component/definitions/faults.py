"""Faults: everything that is wrong with the definitions, told at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core_lib.framework.codecs import Path
from core_lib.framework.errors import CompileError, CoreError, SchemaError

MOST_TOLD = 20
MOST_GATHERED = 60
"""With so many, nobody waits for more: advice takes time."""
MOST_OF_A_NAME = 80


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the kind of error it is, where, what, and what to do about it."""

    kind: type[CoreError]
    where: str
    message: str
    hint: str | None = None


class Faults:
    """Gathers faults; `tell` raises them. `source` names the whole for people."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found: dict[Fault, None] = {}

    def add(self, where: str, message: str, hint: str | None = None, kind: type[CoreError] = SchemaError) -> None:
        """One more. When there are very many, they are told at once."""
        self._found[Fault(kind, where, message, hint)] = None
        if len(self._found) >= MOST_GATHERED:
            self.tell()

    def __bool__(self) -> bool:
        return bool(self._found)

    def tell(self) -> None:
        """Raise what was found, if anything: one fault as it is, several in one error.

        Raises:
            CoreError: of the kind that all faults have, else a CompileError.
        """
        found = sorted(self._found, key=_in_file_order)
        if not found:
            return
        kinds = {fault.kind for fault in found}
        kind = kinds.pop() if len(kinds) == 1 else CompileError
        if len(found) == 1:
            raise kind(found[0].message, where=found[0].where, hint=found[0].hint)
        listed = "".join(f"\n  {fault.where}: {fault.message}{_advice(fault)}" for fault in found[:MOST_TOLD])
        more = f"\n  and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
        files = {fault.where.partition(":")[0] for fault in found}
        many = "at least " if len(found) >= MOST_GATHERED else ""
        raise kind(f"{many}{len(found)} faults:{listed}{more}", where=files.pop() if len(files) == 1 else self._source)


@dataclass(frozen=True)
class Place:
    """A component while it is read: faults get its name and the place in its file. Paths lead from the component down."""

    component: str
    locate: Callable[[Path], str]
    faults: Faults

    def fault(self, path: Path, message: str, hint: str | None = None, kind: type[CoreError] = SchemaError) -> None:
        """Something is wrong at `path`."""
        self.faults.add(self.locate(path), f"{self.component[:MOST_OF_A_NAME]}: {message}", hint, kind)


def _advice(fault: Fault) -> str:
    return f" ({fault.hint})" if fault.hint else ""


def _in_file_order(fault: Fault) -> tuple[str, list[int], str]:
    file, *numbers = fault.where.split(":")
    return file, [int(number) for number in numbers if number.isdigit()], fault.message
