"""Reading a file by its extension."""

from __future__ import annotations

from pathlib import PurePosixPath

from core_lib.framework.codecs.document import Document
from core_lib.framework.codecs.json_reader import load_json
from core_lib.framework.codecs.limits import DEFAULT_LIMITS, Limits
from core_lib.framework.codecs.yaml_reader import load_yaml
from core_lib.framework.errors import CodecError

_READERS = {".yaml": load_yaml, ".yml": load_yaml, ".json": load_json, ".template": load_yaml}


def load_document(text: str | bytes, source: str, *, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Read a `.yaml`, `.yml`, `.json` or `.template` file (a `.template` is YAML, of which JSON is a part).

    Raises:
        CodecError: another extension, or content that the reader refuses.
    """
    suffix = PurePosixPath(source).suffix.lower()
    reader = _READERS.get(suffix)
    if reader is None:
        raise CodecError(f"cannot read files of type {suffix or '(none)'}", where=source, hint=f"one of {', '.join(_READERS)}")
    return reader(text, source, limits=limits)
