"""Network rules of Pipeline::Security."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.component.model import Wire
from core_lib.component.security import Secured, security_stages
from core_lib.component.wires import wired
from core_lib.framework.errors import CompileError, CoreError, ReferenceFault
from tests.builders.component_facts import component_facts
from tests.builders.written import written

ALIASES = {
    "office": [{"Type": "cidr", "Value": "198.51.100.0/24", "Description": "the office"}],
    "edges": [{"Type": "prefix", "Value": "pl-4fa04526"}, {"Type": "component", "Value": "fn"}],
    "jump": [{"Type": "sg-attachment", "Value": "bastion"}, {"Type": "sg-attachment", "Value": "sg-9"}],
    "odd": [{"Type": "cidr", "Value": "somewhere"}],
    "none": [{"Type": "host", "Value": "x"}],
}
GROUPS = {"bastion": "sg-0123456789abcdef0", "shared": "acme:SharedGroupId", "bad": "Bad"}
OTHERS = """
fn: {Type: Test::Function, Configuration: {Function: {}}}
orders: {Type: Test::Table, Configuration: {Table: {}}}
"""
FN_GROUP = wired(Wire("fn", "security", "SecurityGroupId"))
SERVER_GROUP = wired(Wire("web", "security", "SecurityGroupId"))


def secured(source: str, allow: str, key: str = "Server", uses: list[Wire] | None = None, **facts: Any) -> Secured:
    text = f"web: {{Type: Test::Server, Configuration: {{{key}: {{Pipeline::Security: {{Source: {source}, Allow: {allow}}}}}}}}}"
    given_facts = {"SecurityAliases": ALIASES, "SecurityGroupAliases": GROUPS, **facts}
    return security_stages(written(OTHERS + text), component_facts(**given_facts), uses=uses)


def rules(source: str, allow: str, key: str = "Server", **facts: Any) -> list[dict[str, Any]]:
    """The rules of the server, without what they are for."""
    found = secured(source, allow, key, **facts).stages["web"]["rules-base"]["Resources"]
    assert {rule["Type"] for rule in found.values()} == {"AWS::EC2::SecurityGroupIngress"}
    return [{name: value for name, value in rule["Properties"].items() if name != "Description"} for rule in found.values()]


@pytest.mark.parametrize(
    ("allow", "protocol", "ports"),
    [
        ("TCP:443", "tcp", (443, 443)),
        ("tcp:8080-8090", "tcp", (8080, 8090)),
        ("UDP:*", "udp", (0, 65535)),
        ("ICMP", "icmp", (-1, -1)),
        ("ICMP:8", "icmp", (8, -1)),
        ("ALL", "-1", None),
        ('"ALL:*"', "-1", None),
    ],
)
def test_rule_when_ports_are_written_then_they_are_opened(allow: str, protocol: str, ports: tuple[int, int] | None) -> None:
    (rule,) = rules("10.0.0.0/8", allow)
    assert rule["IpProtocol"] == protocol
    assert (None if ports is None else ports) == ((rule["FromPort"], rule["ToPort"]) if "FromPort" in rule else None)
    assert rule["GroupId"] == SERVER_GROUP
    assert rule["CidrIp"] == "10.0.0.0/8"


@pytest.mark.parametrize("allow", ['"TCP:443, TCP:80"', '["TCP:443", "TCP:80"]', '["TCP:443,TCP:80", "TCP:80"]'])
def test_rules_when_several_ports_are_written_then_each_is_one(allow: str) -> None:
    assert sorted(rule["FromPort"] for rule in rules("10.0.0.0/8", allow)) == [80, 443]


@pytest.mark.parametrize("allow", ['"TCP:443, TCP:443-443, tcp:0443"', '["UDP:*", "UDP:0-65535"]'])
def test_rules_when_one_port_is_written_in_several_ways_then_ec2_gets_one_rule(allow: str) -> None:
    assert len(rules("10.0.0.0/8", allow)) == 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("fn", [{"SourceSecurityGroupId": FN_GROUP}]),
        ("web", [{"SourceSecurityGroupId": SERVER_GROUP}]),
        ("prn:shop:web:main:3:fn", [{"SourceSecurityGroupId": FN_GROUP}]),
        (
            "prn:pay:ledger:main:*:api",
            [{"SourceSecurityGroupId": wired(Wire("prn:pay:ledger:main:*:api", "security", "SecurityGroupId"))}],
        ),
        (
            "{App: billing, Component: api}",
            [{"SourceSecurityGroupId": wired(Wire("prn:shop:billing:main:*:api", "security", "SecurityGroupId"))}],
        ),
        ("office", [{"CidrIp": "198.51.100.0/24"}]),
        (
            "edges",
            [
                {"SourcePrefixListId": "pl-4fa04526"},
                {"SourceSecurityGroupId": FN_GROUP},
            ],
        ),
        ("jump", [{"SourceSecurityGroupId": "sg-0123456789abcdef0"}, {"SourceSecurityGroupId": "sg-9"}]),
        ("bastion", [{"SourceSecurityGroupId": "sg-0123456789abcdef0"}]),
        ("shared", [{"SourceSecurityGroupId": {"Fn::ImportValue": "acme:SharedGroupId"}}]),
        ("sg-1", [{"SourceSecurityGroupId": "sg-1"}]),
        ("pl-1", [{"SourcePrefixListId": "pl-1"}]),
        ("203.0.113.7", [{"CidrIp": "203.0.113.7/32"}]),
        ('"2001:DB8::/32"', [{"CidrIpv6": "2001:db8::/32"}]),
        ("[10.0.0.0/8, fn]", [{"CidrIp": "10.0.0.0/8"}, {"SourceSecurityGroupId": FN_GROUP}]),
    ],
)  # fmt: skip
def test_rule_when_somebody_is_its_source_then_the_rule_names_them(source: str, expected: list[dict[str, Any]]) -> None:
    found = rules(source, "TCP:443")
    assert [{key: value for key, value in rule.items() if key.startswith(("Source", "Cidr"))} for rule in found] == expected


def test_rule_when_the_entry_has_a_group_of_its_own_then_that_is_opened() -> None:
    (rule,) = rules("10.0.0.0/8", "TCP:22", key="Admin")
    assert rule["GroupId"] == wired(Wire("web", "security", "AdminGroupId"))


def test_ping_when_it_comes_over_ipv6_then_its_protocol_is_that_of_ipv6() -> None:
    (rule,) = rules('"2001:db8::/32"', "ICMP")
    assert rule["IpProtocol"] == "icmpv6"


def test_rule_when_it_is_made_then_its_description_says_who_and_why() -> None:
    (rule,) = secured("office", "TCP:22").stages["web"]["rules-base"]["Resources"].values()
    assert rule["Properties"]["Description"] == "198.51.100.0/24 (office) by TCP:22 to Server of web: the office"


def test_rules_when_two_say_the_same_then_there_is_one() -> None:
    assert len(rules("[office, 198.51.100.0/24]", "TCP:443")) == 1


@pytest.mark.parametrize(
    ("source", "allow", "words", "advice", "kind"),
    [
        ("ofice", "TCP:1", "no component or security alias 'ofice'", "did you mean office?", ReferenceFault),
        ("zzzzzzz", "TCP:1", "no component or security alias", "an alias (edges, jump, none, odd, office)", ReferenceFault),
        ("10.0.0.1/8", "TCP:1", "an address within a range", "did you mean 10.0.0.0/8?", CompileError),
        ("10.0.0.0/99", "TCP:1", "no address range", "10.0.0.0/8", CompileError),
        ("prn:shop", "TCP:1", "not the name of a component", "prn:portfolio", CompileError),
        ("prn:shop:web:main:7:webb", "TCP:1", "no component 'webb' in this package", "web?", ReferenceFault),
        ("{App: x}", "TCP:1", "Component is missing", "billing", CompileError),
        ("{Component: x, Ap: y}", "TCP:1", "unknown key 'Ap'", "billing", CompileError),
        ("odd", "TCP:1", "SecurityAliases.odd cannot be used: 'somewhere' is no address range", None, CompileError),
        ("none", "TCP:1", "SecurityAliases.none cannot be used: host 'x'", "cidr, prefix", CompileError),
        ("bad", "TCP:1", "'Bad' is no security group", "sg-", CompileError),
        ("office", "TCP:70000", "not a range of ports", None, CompileError),
        ("office", "TCP:x", "not a port specification", "TCP:443", CompileError),
        ("office", "TCP443", "nothing called 'TCP443' to allow", "a port such as TCP:443", CompileError),
        ("office", "read", "nothing called 'read' to allow", "a port such as TCP:443", CompileError),
        ("orders", "TCP:1", "orders (Test::Table) has no security group", "the component that connects", CompileError),
    ],
)
def test_rule_when_it_cannot_be_made_then_the_error_says_what_where_and_what_to_do(
    source: str, allow: str, words: str, advice: str | None, kind: type[CoreError]
) -> None:
    with pytest.raises(kind) as raised:
        secured(source, allow)
    assert words in raised.value.message
    assert raised.value.message.startswith("web: ")
    assert str(raised.value.where).startswith("platform/components/app.yaml:")
    assert advice is None or advice in str(raised.value.hint)


@pytest.mark.parametrize(
    ("source", "allow", "warned"),
    [
        ("0.0.0.0/0", "TCP:22", True),
        ('"::/0"', "TCP:0-1024", True),
        ("0.0.0.0/0", "UDP:443", True),
        ("0.0.0.0/0", "ALL", True),
        ("0.0.0.0/0", "TCP:443", False),
        ('"::/0"', "TCP:80", False),
        ("10.0.0.0/8", "TCP:22", False),
    ],
)
def test_internet_when_more_than_the_web_is_opened_to_it_then_there_is_a_warning(source: str, allow: str, warned: bool) -> None:
    warnings = secured(source, allow).warnings
    assert bool(warnings) is warned
    assert all("to the whole internet" in str(warning) and "app.yaml:" in str(warning) for warning in warnings)


def test_rules_when_they_are_more_than_aws_takes_then_there_is_one_warning() -> None:
    ports = ", ".join(f'"TCP:{number}"' for number in range(1, 80))
    (warning,) = secured("10.0.0.0/8", f"[{ports}]").warnings
    assert "more than 60 rules of SecurityGroup" in str(warning)


def test_source_when_it_has_nothing_in_the_vpc_then_there_is_a_warning() -> None:
    (warning,) = secured("fn", "TCP:1", uses=[]).warnings
    assert "fn is opened a port to, and has nothing in the VPC" in str(warning)
    assert secured("fn", "TCP:1", uses=[Wire("fn", "security", "SecurityGroupId")]).warnings == ()


ranges = st.ip_addresses(v=4).map(str)


@given(st.permutations(["TCP:1", "TCP:2-3", "UDP:*", "ALL", "ICMP:8"]), st.lists(ranges, min_size=1, max_size=3, unique=True))
def test_rules_when_they_are_written_in_another_order_then_they_are_the_same(items: list[str], sources: list[str]) -> None:
    def found(allow: list[str], who: list[str]) -> dict[str, Any]:
        made = secured(f"[{', '.join(who)}]", f"[{', '.join(f'{item!r}' for item in allow)}]")
        resources: dict[str, Any] = made.stages["web"]["rules-base"]["Resources"]
        return resources

    assert found(items, sources) == found(sorted(items), sorted(sources))


def site(source: str, allow: str = "TCP:443") -> Secured:
    text = f"www: {{Type: Test::Site, Configuration: {{Site: {{Pipeline::Security: {{Source: {source}, Allow: {allow}}}}}}}}}"
    return security_stages(written(OTHERS + text), component_facts(SecurityAliases=ALIASES))


def test_addresses_when_the_template_itself_lets_them_in_then_they_are_told_and_there_is_no_rule() -> None:
    found = site("[office, 0.0.0.0/0]")
    assert "www" not in found.stages
    assert [(opened.source, opened.is_everyone) for opened in found.opened] == [
        ("198.51.100.0/24 (office)", False),
        ("0.0.0.0/0", True),
    ]


@pytest.mark.parametrize("source", ["fn", "pl-4fa04526", "edges"])
def test_addresses_when_a_source_has_none_then_it_is_refused(source: str) -> None:
    with pytest.raises(CoreError, match="Site can be opened to addresses only"):
        site(source)


def test_addresses_when_the_item_is_no_port_then_it_is_refused() -> None:
    with pytest.raises(CoreError, match="TCP:99999"):
        site("office", "TCP:99999")
