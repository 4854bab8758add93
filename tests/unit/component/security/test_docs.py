"""The examples of the manual's pages on functions and security do what the pages say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core_lib.component.definitions import read_definitions
from core_lib.component.functions import FUNCTIONS, Environment, resolve_functions
from core_lib.component.library import builtin_catalogue
from core_lib.component.model import Component, Wire
from core_lib.component.security import security_stages
from core_lib.component.wires import wired
from core_lib.framework.package import Package
from tests.builders.component_facts import component_facts

DOCS = Path(__file__).parents[4] / "docs"
FILES = {"platform/files/prices.zip": b"code"}


def components_of(page: str) -> Mapping[str, Component]:
    """The components of a page's example, after their functions."""
    text = (DOCS / page).read_text()
    files = dict(re.findall(r'```yaml title="(platform/[^"]+)"\n(.*?)```', text, re.DOTALL))
    package = Package.from_files({**files, **FILES})
    found = read_definitions(package, component_facts(), builtin_catalogue()).components
    environment = Environment.of(package, component_facts(), found)
    return {name: resolve_functions(component, environment).component for name, component in found.items()}


def test_example_of_functions_when_it_is_resolved_then_every_function_is_a_value() -> None:
    entry = components_of("component-functions.md")["prices"].entries["Function"]
    properties: Any = entry.properties
    assert properties["Code"]["S3Key"].endswith("/_content/5694d08a2e53ffca/prices.zip")
    assert properties["VpcConfig"]["SecurityGroupIds"] == [{"Ref": "SecurityGroupId"}]
    assert entry.links == {
        "TABLE": wired(Wire("price-table", "resources", "TableName")),
        "TARIFFS": wired(Wire("prn:shop:tariffs:main:*:api", "release", "FunctionArn")),
    }


def test_page_of_functions_when_it_is_built_then_it_asks_for_what_the_code_says_of_each() -> None:
    assert "<!-- generated: component-functions -->" in (DOCS / "component-functions.md").read_text()
    assert len(FUNCTIONS) == 11


def test_example_of_security_when_it_is_compiled_then_what_the_page_says_is_opened() -> None:
    found = security_stages(components_of("component-security.md"), component_facts())
    assert {str(each) for each in found.opened} == {
        "shop may read orders Table",
        "shop may write orders Table",
        "prn:shop:billing:main:*:export may read orders Table",
        "shop may reach prices LoadBalancer by TCP:443",
        "198.51.100.0/24 (office) may reach prices LoadBalancer by TCP:443",
        "10.0.0.0/8 may reach prices LoadBalancer by TCP:80",
        "10.0.0.0/8 may reach prices LoadBalancer by TCP:8080-8090",
    }
    assert found.warnings == ()
    assert {stage for bodies in found.stages.values() for stage in bodies} == {"security", "rules-base", "rules"}
