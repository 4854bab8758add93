"""The manual's example compiles, is clean in an editor, and fails as the manual says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from core_lib.component.definitions import read_definitions
from core_lib.component.library import builtin_catalogue
from core_lib.component.model import Definitions
from core_lib.component.schemas import components_schema
from core_lib.framework.codecs import load_yaml
from core_lib.framework.errors import CoreError
from core_lib.framework.package import Package
from tests.builders.definitions import FACTS

PAGE = (Path(__file__).parents[4] / "docs" / "components.md").read_text()
FILES = dict(re.findall(r'```yaml title="(platform/[^"]+)"\n(.*?)```', PAGE, re.DOTALL))
ORDERS = "platform/components/orders.yaml"


def read(files: dict[str, str], **facts: str) -> Definitions:
    return read_definitions(Package.from_files(files), {**FACTS, **facts}, builtin_catalogue())


def test_example_when_it_is_read_then_its_vars_are_those_of_the_branch() -> None:
    for branch, memory in (("main", 1024), ("topic", 256)):
        found = read(FILES, Branch=branch)
        assert found.warnings == ()
        assert found.components["orders"].entries["Function"].properties["MemorySize"] == memory


def test_example_when_held_against_the_schema_then_nothing_is_marked() -> None:
    schema = Draft202012Validator(components_schema(builtin_catalogue()))
    assert list(schema.iter_errors(load_yaml(FILES[ORDERS], ORDERS).data)) == []


def test_example_when_it_is_mistyped_then_it_is_told_in_the_words_of_the_page() -> None:
    text = FILES[ORDERS].replace("BillingMode:", "BillingMod:").replace("DependsOn:", "DependOn:")
    with pytest.raises(CoreError) as caught:
        read({**FILES, ORDERS: text})
    assert str(caught.value) in PAGE
