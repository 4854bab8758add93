"""The sandbox that expressions run in.

Templates from repositories are untrusted. Jinja's immutable sandbox is the base; on top of it only plain data has
attributes (keys of maps, and a short list of harmless methods), only macros and our own functions can be called, and every
operation that could make something huge is measured before it is done: loops and calls are counted, texts and lists have a
longest length, numbers a largest size, and the whole render a deadline.

Source: Jinja documentation, "Sandbox", section "Security Considerations" names what its own sandbox leaves to its users.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import FunctionLoader, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from core_lib.framework.errors import RenderError
from core_lib.renderer import bounds
from core_lib.renderer.limits import LIMITS
from core_lib.renderer.plain import as_text
from core_lib.renderer.session import current
from core_lib.renderer.transform import secure
from core_lib.renderer.undefined import Unknown

_TEXT_METHODS = frozenset(
    (
        "capitalize", "casefold", "center", "count", "endswith", "find", "format", "index", "isalnum", "isalpha", "isascii",
        "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip",
        "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip",
        "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill",
    )
)  # fmt: skip
_METHODS: dict[type, frozenset[str]] = {
    str: _TEXT_METHODS,
    dict: frozenset(("get", "items", "keys", "values")),
    list: frozenset(("count", "index")),
    tuple: frozenset(("count", "index")),
    int: frozenset(("bit_length",)),
    float: frozenset(("is_integer",)),
    bool: frozenset(),
    bytes: frozenset(),
    type(None): frozenset(),
}
_ENGINE_OBJECTS = (LoopContext, Macro, Namespace)


def _raise(message: object = "raised by the template") -> None:
    """`raise(message)`: stop with an error of the template's own."""
    raise RenderError(str(message)[:2000])


def _range(*arguments: int) -> range:
    """`range` of at most `LIMITS.range` numbers."""
    numbers = range(*arguments)
    if len(numbers) > LIMITS.range:
        raise RenderError(f"a range of more than {LIMITS.range} numbers")
    return numbers


def _include(name: str) -> str:
    includes = current().includes
    if includes is None:
        raise RenderError("include, import and extends are not available here")
    return includes(name)


class Sandbox(ImmutableSandboxedEnvironment):
    """The one environment of the process; what differs between renders lies in the session."""

    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self) -> None:
        super().__init__(
            undefined=Unknown,
            loader=FunctionLoader(_include),
            cache_size=0,
            optimized=False,
            finalize=as_text,
            keep_trailing_newline=True,
            lstrip_blocks=True,
            autoescape=False,
        )
        self.globals = {"range": _range, "raise": _raise, "namespace": Namespace}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if len(source) > LIMITS.source:
            raise RenderError(f"a text of more than {LIMITS.source} characters")
        return secure(super()._parse(source, name, filename))

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A map's key first; then a harmless method."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, Undefined):
            return getattr(obj, attribute)
        allowed = next((names for kind, names in _METHODS.items() if isinstance(obj, kind)), None)
        if allowed is not None:
            if attribute in allowed:
                return super().getattr(obj, attribute)
            if attribute.startswith("_") or (not isinstance(obj, Mapping) and hasattr(obj, attribute)):
                return self.unsafe_undefined(obj, attribute)
            return self.undefined(obj=obj, name=attribute)
        if isinstance(obj, _ENGINE_OBJECTS):
            return super().getattr(obj, attribute)
        return self.unsafe_undefined(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Keys and positions only; never an attribute."""
        if isinstance(obj, Undefined):
            return obj[argument]
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)

    def is_safe_callable(self, obj: Any) -> bool:
        """Macros, loop helpers, our own functions, and the harmless methods that `getattr` hands out."""
        if isinstance(obj, (Macro, LoopContext, BlockReference)) or any(obj is known for known in self.globals.values()):
            return True
        owner = _owner(obj)
        return isinstance(owner, (LoopContext, *_METHODS)) and owner is not None

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call, counted and bounded."""
        session = current()
        session.step()
        if isinstance(obj, Undefined):
            return obj()
        if not self.is_safe_callable(obj):
            raise SecurityError(f"a value of type {type(obj).__name__} cannot be called")
        owner = _owner(obj)
        if isinstance(owner, str):
            bounds.check_text_method(owner, obj.__name__, (*args, *kwargs.values()))
        else:
            bounds.size([*args, *kwargs.values()])
        result = context.call(obj, *args, **kwargs)
        if isinstance(result, str):
            session.made(len(result))
        return result

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`+`, `*`, `**` and `%`, bounded."""
        if operator == "+":
            bounds.check_plus(left, right)
        elif operator == "*":
            bounds.check_times(left, right)
        elif operator == "**":
            bounds.check_power(left, right)
        elif isinstance(left, str):
            bounds.check_percent(left, right)
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, str):
            current().made(len(result))
        return result


def _owner(obj: Any) -> Any:
    """The value whose method `obj` is, also behind the sandbox's wrapper of `format`."""
    return getattr(getattr(obj, "__wrapped__", obj), "__self__", None)
