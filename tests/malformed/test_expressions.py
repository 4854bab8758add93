"""Expressions that ask for what is not there, or for what no expression may have, in every place of a definition."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.malformed.case import Case, cases, refusal
from tests.malformed.doors import compile_files, spec_of, stack

PLACES: dict[str, Callable[[str], str]] = {
    "parameter": lambda text: spec_of(stack("net", spec=(f"Parameters: {{Cidr: {json.dumps(text)}}}",))),
    "layer": lambda text: spec_of(stack("net"), parameters=f"{{Common: {{Cidr: {json.dumps(text)}}}}}"),
    "tag": lambda text: spec_of(stack("net", spec=(f"Tags: {{Note: {json.dumps(text)}}}",))),
    "stack name": lambda text: spec_of(stack("net").replace("StackName: net", f"StackName: {json.dumps(text)}")),
    "condition": lambda text: spec_of(stack("net", f"Condition: {json.dumps(text)}")),
    "targets": lambda text: spec_of(stack("net"), targets=f"{{Accounts: [{json.dumps(text)}], Regions: [eu-west-1]}}"),
    "variable": lambda text: spec_of(f"- {{Name: v, Kind: SetVariables, Spec: {{Variables: {{A: {json.dumps(text)}}}}}}}\n"),
}


def compiled(place: str, text: str) -> object:
    return compile_files({"deployspec.yaml": PLACES[place](text)}, overrides={"Items": [1, 2, 3], "Words": "y" * 10_000})


WRONG = (
    Case("unclosed", "CORE-1007", "", "{{ App"),
    Case("unclosed-statement", "CORE-1007", "", "{% if App %}x"),
    Case("closed-only", "CORE-1007", "", "{% endif %}"),
    Case("empty", "CORE-1007", "", "{{ }}"),
    Case("two-operators", "CORE-1007", "", "{{ 1 + * 2 }}"),
    Case("unknown-name", "CORE-1007", "did you mean App", "{{ Ap }}"),
    Case("unknown-key", "CORE-1007", "Ownr", "{{ Tags.Ownr }}"),
    Case("key-of-a-text", "CORE-1007", "has no 'Name'", "{{ App.Name }}"),
    Case("position-beyond-the-end", "CORE-1007", "a list of 3", "{{ Items[9] }}"),
    Case("unknown-filter", "CORE-1007", "did you mean upper", "{{ App | uper }}"),
    Case("unknown-test", "CORE-1007", "shiny", "{{ 'x' if App is shiny else 'y' }}"),
    Case("unknown-statement", "CORE-1007", "switch", "{% switch App %}{% endswitch %}"),
    Case("division-by-zero", "CORE-1007", "zero", "{{ 1 / 0 }}"),
    Case("text-plus-number", "CORE-1007", "", "{{ App + 1 }}"),
    Case("a-call-of-a-text", "CORE-1007", "", "{{ App() }}"),
    Case("a-loop-over-a-number", "CORE-1007", "", "{% for x in 5 %}{% endfor %}"),
    Case("raised", "CORE-1007", "not on a Friday", "{{ raise('not on a Friday') }}"),
    Case("not-an-address-range", "CORE-1007", "not an IPv4 range", "{{ 'ten' | split_cidr }}"),
    Case("not-a-date", "CORE-1007", "not a date", "{{ 'someday' | format_date }}"),
    Case("not-a-port", "CORE-1007", "", "{{ 'tcp:99999999' | parse_port_spec }}"),
    Case("not-a-pattern", "CORE-1007", "not valid", "{{ App | regex_replace('(', '') }}"),
    Case("not-a-query", "CORE-1007", "JMESPath", "{{ Items | extract('[[[') }}"),
    Case("a-file-outside", "CORE-1007", "", "{{ '../../etc/passwd' | read_file }}"),
    Case("a-file-that-is-absolute", "CORE-1007", "", "{{ '/etc/passwd' | read_file }}"),
    Case("a-file-nobody-has", "CORE-1007", "did you mean", "{{ 't.yml' | read_file }}"),
)  # fmt: skip

ESCAPES = (
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ().__class__.__bases__[0].__subclasses__()[132].__init__.__globals__['popen']('id').read() }}",
    "{{ [].__reduce_ex__(2) }}",
    "{{ {}.__init__.__globals__ }}",
    "{{ App.__init__.__globals__ }}",
    "{{ self }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ namespace(x=1).__class__ }}",
    "{{ range.__class__ }}",
    "{{ range.__self__ }}",
    "{{ raise.__globals__ }}",
    "{{ config }}",
    "{{ request.application.__globals__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ url_for.__globals__ }}",
    "{{ __builtins__ }}",
    "{{ __import__('os').system('id') }}",
    "{{ open('/etc/passwd').read() }}",
    "{{ eval('1') }}",
    "{{ globals() }}",
    "{{ dict.__bases__ }}",
    "{{ '{0.__class__}'.format(App) }}",
    "{{ '{0.__class__.__mro__}'.format(1) }}",
    "{{ '{a.__class__}'.format(a=App) }}",
    "{{ '{x.__class__}'.format_map({'x': 1}) }}",
    "{{ ('{0.__cla' ~ 'ss__}').format(App) }}",
    "{{ ['{0.__class__}']|map('format', App)|first ~ ''.__class__ }}",
    "{{ App|map(attribute='__class__')|list }}",
    "{{ [App]|map(attribute='__class__')|first }}",
    "{{ [App]|groupby('__class__') }}",
    "{{ [App]|selectattr('__class__')|list|first ~ ''.mro }}",
    "{{ [App]|sum('__class__') }}",
    "{{ App.encode() }}",
    "{{ Items.append(4) }}",
    "{{ Tags.update({'z': 1}) }}",
    "{{ Tags.pop('Owner') }}",
    "{{ Tags.__setitem__('a', 1) }}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "{% for x in Items %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in Items recursive %}{{ loop.__call__.__globals__ }}{% endfor %}",
    "{% set x = ''.__class__ %}{{ x }}",
    "{% if ''.__class__ %}x{% endif %}",
    "{% with x = ().__class__ %}{{ x }}{% endwith %}",
    "{% filter attr('__class__') %}x{% endfilter %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os }}",
    "{% from 'os' import popen %}{{ popen }}",
    "{% extends '/etc/passwd' %}",
    "{% autoescape true %}{{ App }}{% endautoescape %}",
    "{% do Tags.update({'z': 1}) %}",
    "{% debug %}",
    "{% set outputs = {} %}{{ outputs }}",
    "{% set vars = {} %}{{ vars }}",
    "{{ '__class__'|lookup }}",
    "{{ 'App.__class__'|lookup }}",
    "{{ App|pprint }}",
    "{{ App|xmlattr }}",
    "{{ Items|random }}",
)

QUERY = "[@,@][]" + "|[@,@][]" * 40
BOMBS = (
    "{{ 'x' * 1000000000 }}",
    "{{ [0] * 1000000000 }}",
    "{{ 9 ** 999999999 }}",
    "{{ ((9 ** 999) ** 999) ** 999 }}",
    "{{ range(100000000)|list }}",
    "{{ range(1000000000)|sum }}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "{% for a in range(9999) %}{{ Words }}{% endfor %}",
    "{% for a in range(9999) %}" + "literal text " * 1000 + "{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=9) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{w}}'.format(1, w=1000000000) }}",
    "{{ ('{0}' * 100000).format(Words) }}",
    "{{ 'x'.ljust(1000000000) }}",
    "{{ 'x'|center(1000000000) }}",
    "{{ 'x\ny'|indent(1000000000) }}",
    "{{ Words|replace('y', Words) }}",
    "{{ Words.replace('', Words) }}",
    "{{ range(10000)|join(Words) }}",
    "{{ [1]|batch(1000000000, 'x')|list }}",
    "{{ 1.5|round(1000000000, 'ceil') }}",
    "{{ 1|to_json(1000000000) }}",
    "{{ ('a' * 60 ~ '!')|regex_replace('(a|aa)+$', '') }}",
    "{{ Words|regex_replace('(y|yy)+x', '') }}",
    "{% for i in range(9999) %}{{ ('a' * 22 ~ '!')|regex_replace('(a|aa)+$', '') }}{% endfor %}",
    "{{ Words|regex_replace('y', '\\\\g<0>' * 120) }}",
    f"{{{{ Items|extract('{QUERY}')|length }}}}",
    "{{ Items|extract('" + "[" * 300 + "') }}",
    "{{ Items|extract('" + "|".join(["[@,@]"] * 60) + "|to_string(@)') }}",
    "{{ Items|extract('" + "|".join(["{a:@,b:@}"] * 60) + "') }}",
    "{{ Words|extract('" + "|".join(["join(@, [@,@])"] * 40) + "')|length }}",
    "{{ Items|extract('" + "|".join(["[*].[@,@]"] * 60) + " == `1`') }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "not " * 20000 + "1 }}",
    "{{ " + "[" * 20000 + " }}",
    "{{ " + "9" * 100_000 + " }}",
    "{{ App" + ".a" * 5000 + " }}",
    "{{ App" + "|upper" * 20000 + " }}",
    "{% if 1 %}" * 3000,
    "{% for x in Items %}" * 500 + "{% endfor %}" * 500,
    "{{ 1 }}" * 200_000,
    "{{ '" + "x" * 1_000_001 + "' }}",
)


@cases(*WRONG)
def test_expression_when_it_is_wrong_then_the_line_is_named(case: Case) -> None:
    error = refusal(lambda: compiled("parameter", case.given), case)
    assert str(error.where).startswith("deployspec.yaml:8:")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", ["{{ App", "{{ Ap }}", "{{ App | uper }}", "{{ App.__class__ }}"])
def test_expression_when_it_is_wrong_then_every_place_refuses_it(place: str, text: str) -> None:
    error = refusal(lambda: compiled(place, text))
    assert error.code == "CORE-1007"
    assert str(error.where).startswith("deployspec.yaml:")


@pytest.mark.parametrize("text", ESCAPES)
def test_expression_when_it_tries_to_escape_then_it_is_refused(text: str) -> None:
    error = refusal(lambda: compiled("parameter", text))
    assert error.code == "CORE-1007"
    assert str(error.where).startswith("deployspec.yaml:8:")


@pytest.mark.parametrize("text", BOMBS, ids=range(len(BOMBS)))
def test_expression_when_it_would_make_something_huge_then_it_is_refused_in_time(text: str) -> None:
    error = refusal(lambda: compiled("parameter", text))
    assert error.code == "CORE-1007"
    assert str(error.where).startswith("deployspec.yaml:8:")
