"""Places: errors get the file and line they are about, without every rule having to know it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core_lib.framework.errors import CoreError


@contextmanager
def located(place: Callable[[], str]) -> Iterator[None]:
    """Give every CoreError that leaves the block without a place this one."""
    try:
        yield
    except CoreError as error:
        if error.where is not None:
            raise
        raise type(error)(error.message, where=place(), hint=error.hint) from error


@dataclass(frozen=True, order=True)
class CompileWarning:
    """Something that compiles and is probably not meant; `where` is a file and line."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"
