"""Writing YAML that every reader understands the same way, and JSON that has one spelling per value."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

import yaml

from core_lib.framework.codecs.limits import DEFAULT_LIMITS
from core_lib.framework.codecs.scalars import resolve_plain
from core_lib.framework.codecs.tags import TaggedValue
from core_lib.framework.errors import CodecError
from core_lib.framework.models.base import Message

_BLOCK = re.compile(
    r"(?!\s)[^\n\t\x00-\x09\x0b-\x1f\x7f-\xa0\ufeff\u2028\u2029]+(\n[^\t\x00-\x09\x0b-\x1f\x7f-\xa0\ufeff\u2028\u2029]*)+\Z"
)


class _Dumper(yaml.CSafeDumper):
    """PyYAML's dumper: it quotes what YAML 1.1 would misread, we add what YAML 1.2 would, and know short tags."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    if _BLOCK.match(text) and not any(line.endswith(" ") for line in text.split("\n")):
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    style = "'" if must_be_quoted(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _tagged(dumper: _Dumper, value: TaggedValue) -> yaml.Node:
    inner = value.value
    if isinstance(inner, Mapping):
        return dumper.represent_mapping(value.tag, inner)
    if isinstance(inner, (list, tuple)):
        return dumper.represent_sequence(value.tag, inner)
    if isinstance(inner, str):
        return dumper.represent_scalar(value.tag, inner, style="'" if must_be_quoted(inner) else None)
    node = dumper.represent_data(inner)
    return dumper.represent_scalar(value.tag, node.value)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(TaggedValue, _tagged)


def must_be_quoted(text: str) -> bool:
    """Whether some YAML reader would take this text, written plainly, for something else than text."""
    return not isinstance(resolve_plain(text), str) or text[:1] in _NUMBER_STARTS or text.lower() in _BOOLEANS_OF_1_1


_NUMBER_STARTS = frozenset("0123456789+-.=<")
_BOOLEANS_OF_1_1 = frozenset(("on", "off", "yes", "no", "y", "n"))


def dump_yaml(data: Any) -> str:
    """YAML text (block style, key order kept, short tags kept); `load_yaml` gives back the same data.

    Raises:
        CodecError: a value that YAML cannot hold, or data nested too deeply.
    """
    plain = plain_data(data)
    try:
        text: str = yaml.dump(
            plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000, default_flow_style=False
        )
    except yaml.YAMLError as error:
        raise CodecError(f"not writable as YAML: {error}") from error
    return text.removesuffix("...\n") if text.endswith("\n...\n") else text


def canonical_json(data: Any) -> str:
    """JSON with sorted keys and no spaces: equal data, equal bytes.

    Raises:
        CodecError: a value that JSON cannot hold (NaN, Infinity, a short tag), keys that are not text, too deeply nested data.
    """
    return to_json(data)


def to_json(data: Any, *, indent: int | None = None, sort_keys: bool = True) -> str:
    """JSON text; without `indent` in one line without spaces."""
    separators = (",", ":") if indent is None else (",", ": ")
    try:
        text = json.dumps(
            data, sort_keys=sort_keys, separators=separators, indent=indent, ensure_ascii=False, allow_nan=False, default=_foreign
        )
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise CodecError(f"not writable as JSON: {error}") from error
    return text


def sha256_hex(content: bytes | str) -> str:
    """SHA-256 of bytes, or of a text's UTF-8, as 64 hex digits."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def _foreign(value: Any) -> Any:
    if isinstance(value, Message):
        return value.as_dict()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, TaggedValue):
        raise TypeError(f"the short tag {value.tag} has no JSON form; convert with cfn_to_plain first")
    raise TypeError(f"a value of type {type(value).__name__} is not plain data")


def plain_data(data: Any, depth: int = 0) -> Any:
    """`data` as dicts with text keys, lists and scalars (TaggedValue kept). Raises CodecError for anything else."""
    if depth > DEFAULT_LIMITS.depth:
        raise CodecError(f"nested deeper than {DEFAULT_LIMITS.depth} levels")
    if isinstance(data, Enum):
        data = data.value
    if data is None or isinstance(data, (bool, int)):
        return data
    if isinstance(data, str):
        return _checked(data)
    if isinstance(data, float):
        return data if math.isfinite(data) or type(data) is float else float(data)
    if isinstance(data, TaggedValue):
        return TaggedValue(data.tag, plain_data(data.value, depth + 1))
    if isinstance(data, Mapping):
        return {_key(key): plain_data(value, depth + 1) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [plain_data(item, depth + 1) for item in data]
    try:
        return plain_data(_foreign(data), depth + 1)
    except TypeError as error:
        raise CodecError(str(error)) from error


def _key(key: Any) -> str:
    if isinstance(key, Enum):
        key = key.value
    if not isinstance(key, str):
        raise CodecError(f"a key must be text, not {key!r:.60}")
    return _checked(key)


def _checked(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CodecError("a text holds half a character (a lone surrogate)") from error
    return str(text)
