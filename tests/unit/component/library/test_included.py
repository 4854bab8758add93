"""What a `type.yaml` takes from the shared parts."""

from __future__ import annotations

import pytest

from core_lib.component.library.included import with_included
from core_lib.framework.codecs import load_document
from core_lib.framework.errors import SchemaError

SHARED = {"a.yaml": b"Options: {A: {type: string}}\nGroup: web", "b.yaml": b"Options: {B: {type: string}}\nGroup: network"}


def test_included_files_lie_under_the_type_and_the_later_one_wins() -> None:
    document = load_document(b"Include: [a.yaml, b.yaml]\nOptions: {A: {type: number}}\n", "type.yaml")
    assert with_included(document, SHARED).data == {
        "Options": {"A": {"type": "number"}, "B": {"type": "string"}},
        "Group": "network",
    }


def test_an_included_file_that_is_not_there_is_named_with_its_place() -> None:
    with pytest.raises(SchemaError, match=r"no shared file 'c\.yaml'") as raised:
        with_included(load_document(b"Group: web\nInclude: c.yaml\n", "type.yaml"), SHARED)
    assert raised.value.where == "type.yaml:2:1"


def test_a_document_keeps_its_places() -> None:
    document = load_document(b"Include: a.yaml\nType: X::Y\n", "type.yaml")
    assert with_included(document, SHARED).locate(("Type",)) == "type.yaml:2:1"
