"""The filters of the platform."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core_lib.framework.errors import RenderError
from core_lib.renderer import Renderer

CONTEXT: dict[str, Any] = {
    "Environment": "prod", "Portfolio": "pay", "App": "led", "Branch": "feature/x", "BranchShortName": "feature-x", "Build": 7,
    "VpcAliases": {"main": {"Id": "vpc-1"}, "a.b": "dotted"}, "Subnets": ["s0", "s1"],
    "data": {"list": [{"n": 1, "public": True}, {"n": 2, "public": False}]},
}  # fmt: skip


def _render(text: str, **more: Any) -> Any:
    return Renderer({**CONTEXT, **more}).render_text("{{ " + text + " }}")


def _fault(text: str) -> str:
    with pytest.raises(RenderError) as caught:
        _render(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'b': 1, 'a': true} | aws_tags", [{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "true"}]),
        ("{} | aws_tags", []),
        ("{} | tags('environment')", {"Environment": "prod"}),
        ("{} | tags('portfolio')", {"Environment": "prod", "Portfolio": "pay"}),
        ("none | tags", {"Environment": "prod", "Portfolio": "pay", "App": "led", "Branch": "feature/x", "Build": "7"}),
        ("{'App': 'own', 'Team': 't'} | tags('app')", {"Environment": "prod", "Portfolio": "pay", "App": "own", "Team": "t"}),
        ("1 | ensure_list", [1]),
        ("'ab' | ensure_list", ["ab"]),
        ("[1, 2] | ensure_list", [1, 2]),
        ("(1, 2) | ensure_list", [1, 2]),
        ("none | ensure_list", []),
        ("{'a': 1} | ensure_list", [{"a": 1}]),
        ("data | extract('list[?public].n')", [1]),
        ("data | extract('nothing')", None),
        ("'2026-11-23T07:15:00+00:00' | format_date('%d.%m.%Y %H:%M')", "23.11.2026 07:15"),
        ("'2026-11-23' | format_date", "2026-11-23"),
        ("0 | format_date('%Y%m%d')", "19700101"),
        ("'VpcAliases.main.Id' | lookup", "vpc-1"),
        ("'VpcAliases[\"a.b\"]' | lookup", "dotted"),
        ("'Subnets[1]' | lookup", "s1"),
        ("'Subnets[-1]' | lookup", "s1"),
        ("'Subnets[9]' | lookup('none')", "none"),
        ("'Nope.x' | lookup(none)", None),
        ("[3, '2', 9] | min_int", 2),
        ("3 | min_int(5, '1')", 1),
        ("'queue' | output_name('TopicArn')", "pay-led-feature-x-7-queue:TopicArn"),
        ("'queue' | output_name('TopicArn', scope='branch')", "pay-led-feature-x-queue:TopicArn"),
        ("'TCP:443' | parse_port_spec", {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}),
        ("'tcp:8080-8090' | parse_port_spec", {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8090}),
        ("'UDP:*' | parse_port_spec", {"IpProtocol": "udp", "FromPort": 0, "ToPort": 65535}),
        ("'ICMP:8-0' | parse_port_spec", {"IpProtocol": "icmp", "FromPort": 8, "ToPort": 0}),
        ("'ICMP:*' | parse_port_spec", {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1}),
        ("'ALL:*' | parse_port_spec", {"IpProtocol": "-1", "FromPort": -1, "ToPort": -1}),
        ("'ALL' | parse_port_spec", {"IpProtocol": "-1", "FromPort": -1, "ToPort": -1}),
        ("'a-b-c' | regex_replace('-', '_')", "a_b_c"),
        ("'a-b-c' | regex_replace('-', '_', count=1)", "a_b-c"),
        ("'v1.2' | regex_replace('v(\\\\d+)\\\\.(\\\\d+)', '\\\\2.\\\\1')", "2.1"),
        ("'ABC' | regex_replace('b', '', ignorecase=true)", "AC"),
        ("'x  ' | rstrip", "x"),
        ("'a/b//' | rstrip('/')", "a/b"),
        ("'10.0.0.0/8' | split_cidr", ["10.0.0.0/8"]),
        ("'10.0.0.0/15' | split_cidr", ["10.0.0.0/16", "10.1.0.0/16"]),
        ("'10.0.0.5' | split_cidr", ["10.0.0.5/32"]),
        ("'10.0.0.4/31' | split_cidr", ["10.0.0.4/32", "10.0.0.5/32"]),
        ("{'b': [1], 'a': none} | to_json", '{"b":[1],"a":null}'),
        ("[1] | to_json(2)", "[\n  1\n]"),
        ("{'b': [1], 'a': 'on'} | to_yaml", "b:\n- 1\na: 'on'"),
        ("{'b': {'c': 1}} | to_yaml(4)", "b:\n      c: 1"),
        ("'%s-%03d' | format('a', 7)", "a-007"),
        ("'%s' % 'a'", "a"),
        ("'{}-{:>3}'.format('a', 7)", "a-  7"),
        ("[1, 'a', true] | join('-')", "1-a-true"),
        ("[{'n': 1}, {'n': 2}] | join(',', attribute='n')", "1,2"),
        ("[1, 2.5] | sum", 3.5),
        ("[{'n': 1}, {'n': 2}] | sum(attribute='n')", 3),
        ("'abab' | replace('a', 'x', 1)", "xbab"),
        ("[1, 2, 3] | batch(2) | list", [[1, 2], [3]]),
        ("[1, 2, 3] | batch(2, 0) | list", [[1, 2], [3, 0]]),
        ("'a\\nb' | indent(2)", "a\n  b"),
        ("2.567 | round(1)", 2.6),
        ("true | string", "true"),
        ("'x' | center(5)", "  x  "),
    ],
)
def test_filter_when_given_what_it_takes_then_its_documented_result(text: str, value: Any) -> None:
    assert _render(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("'x' | aws_tags", "aws_tags takes a map, not a value of type str"),
        ("{'a': none} | aws_tags", "null cannot stand inside a text"),
        ("{} | tags('world')", "unknown scope 'world'"),
        ("data | extract('[')", "JMESPath query '['"),
        ("'yesterday' | format_date", "not a date"),
        ("0 | format_date('%Q')", "the date layout '%Q' is not valid"),
        ("true | format_date", "not a date"),
        ("'VpcAliases.mian.Id' | lookup", "did you mean main?"),
        ("'Subnets[7]' | lookup", "a list of 2 has no '7'"),
        ("'a..b' | lookup", "is not a path"),
        ("[] | min_int", "needs at least one number"),
        ("['x'] | min_int", "takes whole numbers"),
        ("'q' | output_name('X', scope='world')", "unknown scope 'world'"),
        ("'TCP:99999' | parse_port_spec", "not a range of ports"),
        ("'TCP:9-1' | parse_port_spec", "not a range of ports"),
        ("'TCP:*-5' | parse_port_spec", "'*' has no end"),
        ("'ALL:5' | parse_port_spec", "ALL means every port"),
        ("'SCTP:5' | parse_port_spec", "is not a port specification"),
        ("'x' | regex_replace('(')", "is not valid"),
        ("'10.0.0.1/8' | split_cidr", "has host bits set"),
        ("'::/0' | split_cidr", "is not an IPv4 range"),
        ("['a'] | sum", "sum takes numbers"),
        ("'x' | shorten_unique(3)", "shorten_unique takes a length"),
    ],
)
def test_filter_when_given_something_else_then_render_error_that_says_why(text: str, message: str) -> None:
    assert message in _fault(text)


def test_output_name_when_a_fact_is_missing_then_it_is_named() -> None:
    with pytest.raises(RenderError, match="needs the fact Portfolio"):
        Renderer({}).render_text("{{ 'q' | output_name('X') }}")


def test_facts_filters_when_facts_lie_under_core_then_they_are_found_there() -> None:
    assert Renderer({"core": CONTEXT}).render_text("{{ {} | tags('portfolio') }}") == {"Environment": "prod", "Portfolio": "pay"}


@given(st.text(alphabet="abcdefgh-", min_size=1, max_size=80), st.integers(min_value=6, max_value=64))
def test_shorten_unique_when_a_name_is_long_then_it_fits_and_is_the_same_every_time(name: str, length: int) -> None:
    short = _render(f"Name | shorten_unique({length})", Name=name)
    assert short == _render(f"Name | shorten_unique({length})", Name=name)
    assert len(short) <= length
    assert short == name if len(name) <= length else short != name


def test_shorten_unique_when_names_differ_only_at_the_end_then_the_short_ones_differ() -> None:
    short = {_render("Name | shorten_unique(20)", Name=f"{'long-name-' * 5}{number}") for number in range(500)}
    assert len(short) == 500
    assert _render("Name | shorten_unique(20)", Name="payments-ledger-feature-x-7-queue") == "payments-ledg-xrcsuu"


@given(
    st.recursive(st.none() | st.integers(max_value=10**9) | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=8)
)
def test_to_yaml_when_read_again_then_the_same_value(value: Any) -> None:
    assert yaml.safe_load(_render("[v] | to_yaml", v=value)) == [value]
