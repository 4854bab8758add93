"""The sandbox: what a hostile template gets is a RenderError, quickly, and never anything from outside its context."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_lib.framework.errors import RenderError
from core_lib.renderer import Renderer, compile_tree

CONTEXT: dict[str, Any] = {"name": "x", "number": 3, "items": [1, 2, 3], "facts": {"a": {"b": "c"}}, "long": "y" * 10_000}

ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ ()|attr('__class__')|attr('__base__')|attr('__subclasses__')() }}",
    "{{ [].__class__.__base__ }}",
    "{{ {}.__class__.__bases__[0] }}",
    "{{ name.__init__.__globals__ }}",
    "{{ name['__class__']['__mro__'] }}",
    "{{ name['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "{{ name|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ name|attr(['_'*2,'class','_'*2]|join) }}",
    "{{ [name]|map(attribute='__class__')|list }}",
    "{{ [name]|map('attr', '__class__')|list }}",
    "{{ [name]|groupby('__class__') }}",
    "{{ [name]|sum(attribute='__class__') }}",
    "{{ [name]|selectattr('__class__')|list }}",
    "{{ [name]|sort(attribute='__class__.__name__') }}",
    "{{ [name]|join(',', attribute='__class__') }}",
    "{{ [name]|unique(attribute='__class__')|list }}",
    "{{ self }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ self._TemplateReference__context.cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ namespace().__class__ }}",
    "{{ namespace }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ lipsum() }}",
    "{{ dict.__base__ }}",
    "{{ range.__class__ }}",
    "{{ range.__globals__ }}",
    "{{ raise.__globals__ }}",
    "{{ raise }}",
    "{{ config }}",
    "{{ request.application.__globals__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ url_for.__globals__ }}",
    "{{ __builtins__ }}",
    "{{ __import__('os') }}",
    "{{ open('/etc/passwd').read() }}",
    "{{ eval('1') }}",
    "{{ exec('1') }}",
    "{{ globals() }}",
    "{{ ''.join.__self__.__class__ }}",
    "{{ ''.join }}",
    "{{ ''.format.__func__ }}",
    "{{ '{0.__class__}'.format(name) }}",
    "{{ '{0.__class__.__mro__}'.format(1) }}",
    "{{ '{0[__class__]}'.format(facts) }}",
    "{{ '{a.__class__}'.format(a=1) }}",
    "{{ '{x.__class__}'.format_map({'x': 1}) }}",
    "{{ ('{0.__cla' ~ 'ss__}').format(name) }}",
    "{{ [('{0.__class__}', 1)]|map('first')|map('format', 1)|first|attr('x') }}",
    "{{ (1).__class__ }}",
    "{{ 1.0.__class__ }}",
    "{{ true.__class__ }}",
    "{{ none.__class__ }}",
    "{{ name.encode() }}",
    "{{ items.append(4) }}",
    "{{ items.__setitem__(0, 1) }}",
    "{{ facts.update({'z': 1}) }}",
    "{{ facts.pop('a') }}",
    "{{ facts.setdefault('z', 1) }}",
    "{{ facts.clear() }}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "{% for x in items %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in items %}{{ loop._iterator.__class__ }}{% endfor %}",
    "{% for x in items recursive %}{{ loop.__call__.__globals__ }}{% endfor %}",
    "{% set x = ''.__class__ %}{{ x }}",
    "{% if ''.__class__ %}x{% endif %}",
    "{% for c in ''.__class__.__mro__ %}{{ c }}{% endfor %}",
    "{% with x = ().__class__ %}{{ x }}{% endwith %}",
    "{% filter attr('__class__') %}x{% endfilter %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os }}",
    "{% from 'os' import popen %}{{ popen }}",
    "{% extends '/etc/passwd' %}",
    "{% autoescape true %}{{ name }}{% endautoescape %}",
    "{% do facts.update({'z': 1}) %}",
    "{% debug %}",
    "{{ name|pprint }}",
    "{{ items|random }}",
    "{{ outputs.__class__ ~ name.__class__ }}",
    "{{ undefined_name.__class__ }}",
    "{{ (undefined_name|default(name)).__class__ }}",
    "{{ ''|counted }}",
    "{{ 'x'|read_file }}",
    "{{ '__class__'|lookup }}",
    "{{ 'name.__class__'|lookup }}",
    "{{ 'facts[\"__class__\"]'|lookup }}",
    "{{ name|extract('__class__') ~ 'x' }}",
    "{{ vars.__class__ }}{{ name.__class__ }}{{ raise('x') ~ vars }}",
    "{{ items|to_json('\\x00') }}",
    "{{ m|default(namespace)|list }}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_template_when_it_tries_to_escape_then_render_error(text: str) -> None:
    for value in (text, f"prefix {text}"):
        with pytest.raises(RenderError):
            Renderer(CONTEXT).render_text(value)
    assert CONTEXT == {"name": "x", "number": 3, "items": [1, 2, 3], "facts": {"a": {"b": "c"}}, "long": "y" * 10_000}


BOMBS = [
    "{{ 'x' * 1000000000 }}",
    "{{ 1000000000 * 'x' }}",
    "{{ [0] * 1000000000 }}",
    "{{ items * 100000000 }}",
    "{{ 9 ** 999999999 }}",
    "{{ ((9 ** 999) ** 999) ** 999 }}",
    "{% set ns = namespace(x=9) %}{% for i in range(100) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x='a') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x='a') %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x|length }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = (ns.x, ns.x) %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x={}) %}{% for i in range(100) %}{% set ns.x = {'a': ns.x, 'b': ns.x} %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
    "{{ range(100000000)|list }}",
    "{{ range(0, 1000000000, 2)|sum }}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in range(9999) %}{{ long }}{% endfor %}",
    "{% set x %}{% for a in range(9999) %}{{ long }}{% endfor %}{% endset %}{{ x|length }}",
    "{% for a in range(9999) %}" + "literal text " * 1000 + "{% endfor %}",
    "{% set x %}{% for a in range(9999) %}" + "literal text " * 1000 + "{% endfor %}{% endset %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{{ '%.1000000000f' % 1 }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{w}}'.format(1, w=1000000000) }}",
    "{{ ('{0}' * 100000).format(long) }}",
    "{{ 'x'|center(1000000000) }}",
    "{{ 'x'.center(1000000000) }}",
    "{{ 'x'.ljust(1000000000) }}",
    "{{ 'x'.rjust(1000000000) }}",
    "{{ '1'.zfill(1000000000) }}",
    "{{ 'x\ny'|indent(1000000000) }}",
    "{{ 'x\ny'|indent('y' * 100000) }}",
    "{{ long|replace('y', long) }}",
    "{{ long.replace('y', long) }}",
    "{{ long.replace('', long) }}",
    "{{ long.join(range(10000)|map('string')|list) }}",
    "{{ range(10000)|join(long) }}",
    "{{ [1]|batch(1000000000, 'x')|list }}",
    "{{ 1.5|round(1000000000, 'ceil') }}",
    "{{ 1|to_json(1000000000) }}",
    "{{ 1|to_yaml(1000000000) }}",
    "{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'|regex_replace('(a|aa)+$', '') }}",
    "{{ long|regex_replace('y', '\\\\g<0>' * 120) }}",
    "{{ long|regex_replace('y' * 1000, '') }}",
    "{{ 0|format_date('%1000000000d') }}",
    "{{ 10**100|format_date }}",
    "{{ 'x'|shorten_unique(1000000, 1000000) }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "not " * 20000 + "1 }}",
    "{{ " + "-" * 20000 + "1 }}",
    "{{ " + "[" * 20000 + " }}",
    "{{ " + "9" * 100_000 + " }}",
    "{{ name" + ".a" * 5000 + " }}",
    "{{ name" + "|upper" * 20000 + " }}",
    "{% if 1 %}" * 3000,
    "{% for x in items %}" * 500 + "{% endfor %}" * 500,
    "{{ 1 }}" * 200_000,
    "{{ '" + "x" * 1_000_001 + "' }}",
]


@pytest.mark.parametrize("text", BOMBS, ids=range(len(BOMBS)))
def test_template_when_it_would_make_something_huge_then_render_error_in_time(text: str) -> None:
    started = time.process_time()
    with pytest.raises(RenderError):
        Renderer(CONTEXT).render_text(text)
    assert time.process_time() - started < 20


def test_session_when_one_render_used_its_budget_then_the_next_has_a_full_one() -> None:
    tree = compile_tree("{% for a in range(9000) %}{{ name }}{% endfor %}")
    for _ in range(20):
        assert len(tree.render(CONTEXT).value) == 9000


USES = [
    "{{ u }}", "{{ u + 1 }}", "{{ -u }}", "{{ u() }}", "{{ u[0] }}", "{{ u.a }}", "{{ u == 1 }}", "{{ not u }}", "{{ u ~ 'x' }}",
    "{{ u | length }}", "{% for x in u %}{% endfor %}", "{% if u %}{% endif %}", "{{ [u] }}", "{{ {'a': u} }}", "{{ 1 in u }}",
]  # fmt: skip


@pytest.mark.parametrize("text", USES)
def test_undefined_when_used_in_any_way_then_render_error(text: str) -> None:
    with pytest.raises(RenderError, match="unknown name 'u'"):
        Renderer(CONTEXT).render_text(text)


PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "{#", "#}", " ", "name", "items", "facts", ".", "a", "|", "upper", "join", "(", ")", "[", "]",
     "'", '"', "1",
     "+", "*", "**", "~", "-", "/", "%", "for", "in", "endfor", "if", "endif", "set", "=", "==", "outputs", "vars",
     "lookup", "tags", ",",
     "macro", "endmacro", "loop", "not",
     "is", "defined", "\n", "raw", "endraw", "to_json", "{", "}", ":", "range", "9", "None", "__class__"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    st.lists(PIECES, max_size=15).map(" ".join) | st.lists(PIECES, max_size=8).map(lambda parts: "{{ " + " ".join(parts) + " }}")
)
def test_template_when_it_is_nonsense_then_data_or_render_error(text: str) -> None:
    with contextlib.suppress(RenderError):
        Renderer(CONTEXT).render_text(text)


FILTERS = st.sampled_from(
    ["aws_tags", "tags", "lookup", "output_name('x')", "ensure_list", "extract('a')", "min_int", "to_json", "to_yaml",
     "format_date",
     "regex_replace('a', 'b')", "rstrip", "shorten_unique(5)", "parse_port_spec", "split_cidr", "batch(2)", "center",
     "format(1)", "indent",
     "join", "replace('a', 'b')", "round", "string", "sum", "list", "first", "last", "sort", "unique", "int", "float",
     "abs", "dictsort",
     "groupby('a')", "map('upper')", "items", "max", "min", "reverse", "title", "trim", "truncate(3)", "wordcount",
     "default('x')"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(VALUES, st.lists(FILTERS, min_size=1, max_size=3))
def test_filters_when_given_anything_then_data_or_render_error(value: object, filters: list[str]) -> None:
    with contextlib.suppress(RenderError):
        Renderer({"v": value}).render_text("{{ v | " + " | ".join(filters) + " }}")
