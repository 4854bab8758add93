"""From the files of a package to components."""

from __future__ import annotations

import random

import pytest

from core_lib.component.definitions import read_definitions
from core_lib.component.model import Grant
from core_lib.framework.errors import CoreError, PackageError
from core_lib.framework.package import Package
from tests.builders.definitions import CATALOGUE, FACTS, FILE, QUEUE_TYPE, component, defined, table

WHOLE = """\
orders:
  Type: Test::FastTable
  DependsOn: jobs
  Persist: true
  PersistUpdateVersion: 5
  Options: {Limits: {}}
  Configuration:
    Table:
      Pipeline::Security:
        - {Source: [jobs, office], Allow: [read, write]}
        - {Source: mail, Allow: read}
      Pipeline::Link: {JOBS: {Component: jobs, OutputName: Url}}
      Pipeline::Agents: {awslogs: {Logs: []}}
      Properties: {BillingMode: PAY_PER_REQUEST}
      Metadata: {Why: because}
      CreationPolicy: {ResourceSignal: {Count: 1}}
      DeletionPolicy: Retain
    HighAlarm: {}
jobs: {Type: Test::Queue}
"""


def test_component_when_all_its_keys_are_written_then_the_model_holds_them() -> None:
    orders = defined(WHOLE).components["orders"]
    entry = orders.entries["Table"]

    assert (orders.type.name, orders.written_type, orders.depends_on) == ("Test::Table", "Test::FastTable", ("jobs",))
    assert (orders.persist, orders.persist_update_version) == (True, "5")
    assert entry.properties["BillingMode"] == "PAY_PER_REQUEST"
    assert entry.metadata == {"Why": "because"}
    assert entry.policies == {"CreationPolicy": {"ResourceSignal": {"Count": 1}}, "DeletionPolicy": "Retain"}
    assert entry.links == {"JOBS": {"Component": "jobs", "OutputName": "Url"}}
    assert entry.agents == {"awslogs": {"Logs": []}}
    assert orders.entries["HighAlarm"].rule.resource == "AWS::CloudWatch::Alarm"


def test_grants_when_an_item_has_several_sources_then_each_is_a_grant_with_its_place() -> None:
    orders = defined(WHOLE).components["orders"]
    path = ("Configuration", "Table", "Pipeline::Security")

    assert orders.entries["Table"].grants == (
        Grant("jobs", ("read", "write"), (*path, 0, "Source", 0)),
        Grant("office", ("read", "write"), (*path, 0, "Source", 1)),
        Grant("mail", ("read",), (*path, 1, "Source")),
    )
    assert orders.locate(orders.entries["Table"].grants[1].path) == f"{FILE}:10:27"


def test_grants_when_there_is_one_item_then_it_needs_no_list() -> None:
    text = """
        jobs:
          Type: Test::Queue
          Configuration: {Queue: {Pipeline::Security: {Source: web, Allow: read}}}
    """
    path = ("Configuration", "Queue", "Pipeline::Security", "Source")
    assert component(text).entries["Queue"].grants == (Grant("web", ("read",), path),)


def test_keys_when_in_snake_case_then_they_mean_the_same_and_are_found() -> None:
    text = """
        orders:
          type: Test::Table
          depends_on: []
          persist: "true"
          configuration:
            Table:
              properties: {BillingMode: PAY_PER_REQUEST}
              deletion_policy: Delete
              pipeline_security: {source: web, allow: read}
    """
    orders = component(text)
    entry = orders.entries["Table"]

    assert orders.persist
    assert entry.properties["BillingMode"] == "PAY_PER_REQUEST"
    assert entry.policies == {"DeletionPolicy": "Delete"}
    assert orders.locate(entry.grants[0].path) == f"{FILE}:10:27"


def test_options_when_the_alias_presets_some_then_the_written_ones_win_and_defaults_fill_in() -> None:
    assert component("a: {Type: Test::FastTable, Configuration: {Table: {}}}").options == {"Speed": "fast"}
    written = component("a: {Type: Test::FastTable, Options: {Speed: slow}, Configuration: {Table: {}}}")
    assert written.options == {"Speed": "slow"}
    assert component("a: {Type: Test::Table, Options: {Limits: {}}, Configuration: {Table: {}}}").options == {
        "Limits": {"Reads": 5},
        "Speed": "slow",
    }


def test_options_when_one_is_a_function_then_its_value_is_not_looked_at() -> None:
    orders = component("a: {Type: Test::Table, Options: {Speed: {Ref: Parameter}}, Configuration: {Table: {}}}")
    assert orders.options["Speed"] == {"Ref": "Parameter"}


def test_own_properties_when_they_have_a_default_then_it_is_filled_in() -> None:
    assert component(table("BillingMode: PROVISIONED")).entries["Table"].properties["Hot"] is False


def test_short_tags_when_written_then_they_are_in_their_long_form() -> None:
    properties = component(table("BillingMode: !Ref Mode")).entries["Table"].properties
    assert properties["BillingMode"] == {"Ref": "Mode"}


def test_files_when_they_lie_as_in_the_reference_systems_archive_then_they_are_read_too() -> None:
    files = {"components/a.yaml": "a: {Type: Test::Queue}", "vars/v.yaml": "_defaults: {X: 1}", "package.sh": "true"}
    found = defined(files)
    assert list(found.components) == ["a"]
    assert found.variables == {"X": 1}


def test_files_when_json_or_in_a_sub_folder_then_they_are_read_and_others_are_left_alone() -> None:
    files = {
        "platform/components/a.json": '{"a": {"Type": "Test::Queue"}}',
        "platform/components/more/b.yml": "b: {Type: Test::Queue}",
        "platform/components/README.md": "{{ not ours }}",
    }
    assert list(defined(files).components) == ["a", "b"]


def test_components_when_the_files_come_in_another_order_then_they_are_in_the_same_order() -> None:
    files = [(f"platform/components/{name}.yaml", f"c{name}: {{Type: Test::Queue}}") for name in "zcay"]
    orders = set()
    for seed in range(5):
        random.Random(seed).shuffle(files)
        orders.add(tuple(defined(dict(files)).components))
    assert orders == {("ca", "cc", "cy", "cz")}


def test_types_when_the_package_brings_its_own_then_components_can_be_of_them() -> None:
    files = {
        FILE: "a: {Type: Mine::Queue}",
        "platform/types/Mine/Queue/type.yaml": QUEUE_TYPE.replace("Test::Queue", "Mine::Queue"),
    }
    found = defined(files)
    assert found.components["a"].type.name == "Mine::Queue"
    assert "Mine::Queue" in found.catalogue.types


@pytest.mark.parametrize("files", [{"deployspec.yaml": "[]"}, {FILE: ""}, {FILE: "# nothing"}, {FILE: "{}"}])
def test_package_when_there_are_no_components_then_it_is_refused(files: dict[str, str]) -> None:
    with pytest.raises(PackageError, match="no components"):
        defined(files)


def test_files_when_one_cannot_be_read_then_the_place_is_told() -> None:
    with pytest.raises(CoreError) as caught:
        read_definitions(Package.from_files({FILE: "a:\n  b: [1\n"}), FACTS, CATALOGUE)
    assert str(caught.value.where).startswith(f"{FILE}:3")
