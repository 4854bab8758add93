"""From bytes to text: UTF-8 only, bounded, without a byte order mark."""

from __future__ import annotations

from core_lib.framework.codecs.limits import Limits
from core_lib.framework.errors import CodecError

_MARK = "\ufeff"


def decode(text: str | bytes, source: str, limits: Limits) -> str:
    """The text of a document.

    Raises:
        CodecError: too large, or not UTF-8.
    """
    if len(text) > limits.size:
        raise CodecError(f"larger than {limits.size} bytes", where=source)
    if isinstance(text, str):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise CodecError(f"half a character (a lone surrogate) at position {error.start}", where=source) from error
        return text.removeprefix(_MARK)
    try:
        return bytes(text).decode("utf-8").removeprefix(_MARK)
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise CodecError("not UTF-8", where=f"{source}:{line}", hint="save the file with the encoding UTF-8") from error
