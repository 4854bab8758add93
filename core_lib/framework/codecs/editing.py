"""Editing YAML in place: comments, key order, quotes, anchors and short tags of everything untouched survive."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.util import load_yaml_guess_indent

from core_lib.framework.codecs.scalars import resolve_plain
from core_lib.framework.codecs.writer import must_be_quoted
from core_lib.framework.codecs.yaml_reader import load_yaml
from core_lib.framework.errors import CodecError

_WIDEST = 1_000_000
_CORE = "tag:yaml.org,2002:"


class PlainText(str):
    """Text that was written without quotes, also where some reader would take it for a number; written back as it was."""

    __slots__ = ("yaml_tag",)
    yaml_tag: str


class _Constructor(RoundTripConstructor):
    """Reads a plain scalar as text wherever `load_yaml` does."""


def _construct_like_load_yaml(original: Callable[..., Any]) -> Callable[..., Any]:
    def build(constructor: _Constructor, node: ScalarNode) -> Any:
        if node.style is None and isinstance(resolve_plain(node.value), str):
            text = PlainText(node.value)
            text.yaml_tag = str(node.tag)
            return text
        return original(constructor, node)

    return build


class _Representer(RoundTripRepresenter):
    """Quotes new text that some YAML reader would misread."""


def _represent_plain_text(representer: _Representer, text: PlainText) -> Any:
    return representer.represent_scalar(text.yaml_tag, str(text))


def _represent_text(representer: _Representer, text: str) -> Any:
    style = "|" if "\n" in text else "'" if must_be_quoted(text) else None
    return representer.represent_scalar(f"{_CORE}str", text, style=style)


_Constructor.add_constructor(f"{_CORE}str", _construct_like_load_yaml(RoundTripConstructor.construct_yaml_str))
_Constructor.add_constructor(f"{_CORE}int", _construct_like_load_yaml(RoundTripConstructor.construct_yaml_int))
_Constructor.add_constructor(f"{_CORE}float", _construct_like_load_yaml(RoundTripConstructor.construct_yaml_float))
_Constructor.add_constructor(f"{_CORE}timestamp", _construct_like_load_yaml(RoundTripConstructor.construct_yaml_timestamp))
_Representer.add_representer(PlainText, _represent_plain_text)
_Representer.add_representer(str, _represent_text)


def edit_yaml(text: str, edit: Callable[[Any], None], source: str = "<text>") -> str:
    """`text` after `edit` changed the loaded document in place (maps and lists behave like dict and list).

    Spacing inside flow collections and the spelling of null and booleans may be tidied; nothing else that is untouched changes.

    Raises:
        CodecError: `text` is not a document that `load_yaml` takes, or the edit left something YAML cannot hold.
    """
    load_yaml(text, source)
    try:
        _, sequence, offset = load_yaml_guess_indent(text)
        yaml = YAML()
        yaml.Constructor = _Constructor
        yaml.Representer = _Representer
        yaml.preserve_quotes = True
        yaml.width = _WIDEST
        if sequence is not None and offset is not None:
            yaml.indent(mapping=2, sequence=sequence, offset=offset)
        document = yaml.load(text)
        edit(document)
        out = io.StringIO()
        yaml.dump(document, out)
    except YAMLError as error:
        raise CodecError(f"not editable as YAML: {error}", where=source) from error
    return out.getvalue()
