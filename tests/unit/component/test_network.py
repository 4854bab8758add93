"""The network that the facts name."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.component.model import Wire
from core_lib.component.naming import names_of
from core_lib.component.network import network_of, vpc_alias
from core_lib.component.owners import address_in
from core_lib.component.wires import wired
from core_lib.framework.errors import CompileError, PrnError
from tests.builders.component_facts import component_facts

NETWORK = {"Component": "network", "OutputName": "Private{n}Id"}


def export(name: str) -> dict[str, str]:
    return {"Fn::ImportValue": f"acme:{name}"}


@pytest.mark.parametrize(
    ("vpcs", "expected"),
    [
        ({"main": "Main"}, export("Main:VpcId")),
        ({"main": "vpc-1"}, "vpc-1"),
        ({"main": {"Component": "network", "OutputName": "VpcId"}}, wired(Wire("network", "resources", "VpcId"))),
        (
            {"main": {"Component": "network", "OutputName": "VpcId", "Scope": "release"}},
            wired(Wire("prn:shop:web:main:*:network", "release", "VpcId")),
        ),
        (
            {"main": {"App": "base", "Component": "network", "OutputName": "VpcId"}},
            wired(Wire("prn:shop:base:main:*:network", "release", "VpcId")),
        ),
        ({}, None),
        (None, None),
    ],
)
def test_vpc_when_an_alias_stands_for_it_then_it_is_a_value(vpcs: Any, expected: Any) -> None:
    assert network_of(component_facts(VpcAliases=vpcs))[0] == expected


@pytest.mark.parametrize(
    ("subnets", "expected"),
    [
        ("Private", [export("Private1Id"), export("Private2Id")]),
        ("Main:Private", [export("Main:Private1Id"), export("Main:Private2Id")]),
        (["subnet-1", "subnet-2"], ["subnet-1", "subnet-2"]),
        ("subnet-1", ["subnet-1"]),
        (NETWORK, [wired(Wire("network", "resources", f"Private{number}Id")) for number in (1, 2)]),
        (
            {"Component": "network", "OutputNames": ["A", "B"]},
            [wired(Wire("network", "resources", "A")), wired(Wire("network", "resources", "B"))],
        ),
    ],
)
def test_subnets_when_a_zone_names_them_then_they_are_values(subnets: Any, expected: Any) -> None:
    assert network_of(component_facts(SubnetAliases={"private": subnets}, AzCount=2))[1] == {"private": expected}


def test_network_when_no_namespace_is_known_then_exports_are_left_out() -> None:
    facts = component_facts(ResourceNamespace=None, SubnetAliases={"a": "Private", "b": ["subnet-1"]})
    assert network_of(facts) == (None, {"b": ["subnet-1"]})


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"VpcAliases": {"b": "B", "a": "A"}}, "a"),
        ({"VpcAliases": {"a": "A", "main": "M"}}, "main"),
        ({"VpcAliases": {"main": "M", "default": "D"}}, "default"),
        ({"VpcAliases": {"default": "D", "a": "A"}, "VpcAlias": "a"}, "a"),
    ],
)
def test_vpc_when_there_are_several_then_one_is_the_default(facts: dict[str, Any], expected: str) -> None:
    assert vpc_alias(facts) == expected


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"VpcAlias": "other"}, "VpcAlias cannot be used: 'other' is not in VpcAliases"),
        ({"VpcAliases": ["Main"]}, "VpcAliases cannot be used: it is no map"),
        ({"VpcAliases": {"main": 1}}, "VpcAliases.main cannot be used"),
        ({"SubnetAliases": {"private": []}}, "SubnetAliases.private cannot be used"),
        ({"SubnetAliases": {"private": {"Component": "network"}}}, "Component and OutputName are needed"),
    ],
)
def test_facts_when_they_stand_for_nothing_then_the_error_names_them(facts: dict[str, Any], words: str) -> None:
    with pytest.raises(CompileError, match=words):
        network_of(component_facts(**facts))


@pytest.mark.parametrize(
    ("text", "owner", "is_here"),
    [
        ("prn:shop:web:main:7:db", "db", True),
        ("prn:shop:web:main:*:db", "db", True),
        ("prn:shop:web:Feature_X:*:db", "prn:shop:web:feature-x:*:db", False),
        ("prn:pay:ledger:main:3:db", "prn:pay:ledger:main:*:db", False),
    ],
)
def test_prn_when_it_names_a_component_then_the_build_does_not_matter(text: str, owner: str, is_here: bool) -> None:
    found = address_in(component_facts(), text)
    assert (found.owner, found.is_here) == (owner, is_here)


@pytest.mark.parametrize("text", ["prn:shop", "prn:shop:web:main:7", "prn:shop:web:main:7:db:x", "prn:shop:web:main:*:d b"])
def test_prn_when_it_names_no_component_then_it_is_refused(text: str) -> None:
    with pytest.raises(PrnError):
        address_in(component_facts(), text)


def test_hosted_zone_when_its_id_is_not_known_then_the_network_exports_it() -> None:
    names = names_of(component_facts(HostedZoneId=None), "db", "7")
    assert names.dns is not None
    assert names.dns["Zone"] == export("Main:HostedZoneId")


@pytest.mark.parametrize("vpcs", [{}, {"main": "vpc-1"}, {"main": NETWORK}])
def test_hosted_zone_when_nothing_can_export_its_id_then_the_fact_is_asked_for(vpcs: dict[str, Any]) -> None:
    with pytest.raises(CompileError, match="HostedZoneId is not"):
        names_of(component_facts(HostedZoneId=None, VpcAliases=vpcs), "db", "7")
