"""Undefined names: strict, and able to say which name was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from jinja2 import StrictUndefined, UndefinedError
from jinja2.utils import missing

from core_lib.framework.codecs import nearest

_MOST_LISTED = 8


class UnknownNameError(UndefinedError):
    """A name that is not there. `owner` is the value it was looked for in, or None for the context itself."""

    def __init__(self, name: str, owner: Any, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.owner = owner


class Unknown(StrictUndefined):
    """The value of an unknown name; any use of it fails, except `is defined` and `default`."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        if self._undefined_exception is not UndefinedError or self._undefined_hint:
            raise self._undefined_exception(self._undefined_message)
        owner = None if self._undefined_obj is missing else self._undefined_obj
        raise UnknownNameError(str(self._undefined_name), owner, self._undefined_message)

    __iter__ = __str__ = __len__ = _fail_with_undefined_error
    __eq__ = __ne__ = __bool__ = __hash__ = __contains__ = _fail_with_undefined_error
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _fail_with_undefined_error
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _fail_with_undefined_error
    __mod__ = __rmod__ = __pos__ = __neg__ = __call__ = __getitem__ = _fail_with_undefined_error
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __complex__ = _fail_with_undefined_error
    __pow__ = __rpow__ = _fail_with_undefined_error


def explain(name: str, owner: Any, known: Iterable[str]) -> tuple[str, str | None]:
    """Message and hint for an unknown name. `known` are the names of the context, used when there is no owner."""
    if owner is None:
        return f"unknown name {name[:60]!r}", _advice(name, known)
    if isinstance(owner, Mapping):
        return f"there is no {name[:60]!r} here", _advice(name, (str(key) for key in owner))
    if isinstance(owner, (list, tuple)):
        return f"a list of {len(owner)} has no {name[:60]!r}", None
    return f"a value of type {type(owner).__name__} has no {name[:60]!r}", None


def _advice(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = nearest(name, names)
    if close:
        return f"did you mean {close}?"
    if not names:
        return "nothing is known here"
    more = ", ..." if len(names) > _MOST_LISTED else ""
    return f"known are {', '.join(names[:_MOST_LISTED])}{more}"
