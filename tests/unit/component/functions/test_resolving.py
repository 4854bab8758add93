"""Walking through a component."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_lib.component.functions import Environment, Resolved, resolve_functions
from core_lib.component.model import Wire
from core_lib.component.wires import wired, wires_in
from core_lib.framework.errors import CoreError, SchemaError
from tests.builders.component_facts import component_facts
from tests.builders.components import built
from tests.builders.written import written

TABLE = "orders: {Type: Test::Table, Configuration: {Table: {}}}\n"
TABLE_ARN = wired(Wire("orders", "resources", "TableArn"))
IMAGE = "ami-0123456789abcdef0"


def resolved(text: str, name: str = "web") -> Resolved:
    components = written(TABLE + text)
    return resolve_functions(components[name], Environment(component_facts(), components))


def test_functions_when_they_stand_anywhere_in_an_entry_then_all_are_replaced() -> None:
    found = resolved("""
web:
  Type: Test::Server
  Options: {Image: {Fn::Pipeline::ImageId: rhel-9}}
  Configuration:
    Server:
      Properties:
        Image: {Fn::Pipeline::ImageId: {Name: amazon-linux-2023}}
        Text: {Fn::Sub: ["${arn}/*", {arn: {Fn::Pipeline::GetOutput: {Component: orders, OutputName: TableArn}}}]}
        Subnets: [{Fn::Pipeline::SubnetIds: private}, subnet-1]
      Metadata: {Init: [{Image: {Fn::Pipeline::ImageId: {Name: amazon-linux-2023}}}]}
      CreationPolicy: {X: {Fn::Pipeline::ImageId: {Name: amazon-linux-2023}}}
      Pipeline::Link:
        TABLE: {Component: orders, OutputName: TableName}
        IMAGE: {Fn::Pipeline::ImageId: {Name: amazon-linux-2023}}
        MODE: fast
        OTHER: {Ref: AWS::Region}
      Pipeline::Agents: {cloudwatch: {Image: {Fn::Pipeline::ImageId: amazon-linux-2023}}}
""")
    entry = found.component.entries["Server"]
    assert entry.properties["Image"] == IMAGE
    assert entry.properties["Text"] == {"Fn::Sub": ["${arn}/*", {"arn": TABLE_ARN}]}
    assert len(entry.properties["Subnets"]) == 4
    assert entry.properties["Subnets"][3] == "subnet-1"
    assert entry.metadata == {"Init": [{"Image": IMAGE}]}
    assert entry.policies["CreationPolicy"] == {"X": IMAGE}
    assert entry.links == {
        "TABLE": wired(Wire("orders", "resources", "TableName")), "IMAGE": IMAGE, "MODE": "fast", "OTHER": {"Ref": "AWS::Region"},
    }  # fmt: skip
    assert entry.agents == {"cloudwatch": {"Image": IMAGE}}
    assert found.component.options["Image"] == "ami-00112233445566778"
    assert found.component.depends_on == ("orders",)


def test_functions_when_they_are_arguments_of_others_then_the_inner_ones_come_first() -> None:
    (url,) = (
        resolved("""
web:
  Type: Test::Server
  Configuration:
    Server:
      Properties:
        A: {Fn::Pipeline::FileUrl: {Path: {Fn::Pipeline::S3BucketName: {Scope: branch}}, Scope: shared}}
""")
        .component.entries["Server"]
        .properties.values()
    )
    assert url.startswith("https://acme-files.s3.eu-west-1.amazonaws.com/files/shared/shop-web-main-web-")


def test_errors_when_there_are_several_then_all_are_told_with_their_places() -> None:
    with pytest.raises(CoreError) as raised:
        resolved("""
web:
  Type: Test::Server
  Configuration:
    Server:
      Properties:
        A: {Fn::Pipeline::ImageId: nothing}
        B: {Fn::Pipeline::Nothing: 1}
        C: {Fn::Pipeline::FileUrl: {Path: {Fn::Pipeline::ImageId: alas}, Scope: shared}}
        D: {Fn::Pipeline::ImageId: rhel-9, More: 1}
      Pipeline::Link: {E: [1], F: {Component: orders, OutputName: TabelName}}
""")
    text = str(raised.value)
    assert "6 faults" in text
    for place in ("app.yaml:8:", "app.yaml:9:", "app.yaml:10:", "app.yaml:11:", "app.yaml:12:"):
        assert place in text
    assert "must be the only key of its map" in text
    assert "a link is {Component, OutputName} or text, not a list" in text
    assert "did you mean TableName?" in text


def test_errors_when_several_components_have_some_then_one_error_tells_all() -> None:
    with pytest.raises(CoreError) as raised:
        built("""
one: {Type: AWS::SQS::Queue, Configuration: {Queue: {Properties: {DelaySeconds: {Fn::Pipeline::ImageId: x}}}}}
two: {Type: AWS::SQS::Queue, Configuration: {Queue: {Properties: {DelaySeconds: {Fn::Pipeline::ImageId: y}}}}}
""")
    assert "2 faults" in str(raised.value)
    assert "one: " in str(raised.value)
    assert "two: " in str(raised.value)


def test_wires_when_a_user_writes_one_then_it_is_refused() -> None:
    with pytest.raises(SchemaError, match="no function 'Fn::Pipeline::Wire'"):
        resolved(
            "web: {Type: Test::Server, Configuration: {Server: {Properties: {A: {Fn::Pipeline::Wire: [x, security, RoleArn]}}}}}"
        )


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
trees = st.recursive(
    leaves,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below, max_size=3),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(trees)
def test_trees_when_there_is_no_function_in_them_then_they_are_the_same_and_not_copied(tree: Any) -> None:
    components = written("web: {Type: Test::Server, Configuration: {Server: {}}}")
    component = components["web"]
    entry = component.entries["Server"]
    object.__setattr__(entry, "properties", {"T": tree})
    found = resolve_functions(component, Environment(component_facts(), components)).component
    assert found.entries["Server"] is entry
    assert list(wires_in(found.entries["Server"].properties)) == []
