"""Texts that are not YAML, or more YAML than anybody needs: as deployspec, as template, as registry; and the same for JSON."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.malformed import doors
from tests.malformed.case import Case, cases, check_words, refusal


def _laughs(levels: int, width: int) -> str:
    names = [chr(ord("a") + level) for level in range(levels)]
    lines = [f"a: &a [{', '.join(['x'] * width)}]"]
    lines += [f"{name}: &{name} [{', '.join([f'*{below}'] * width)}]" for below, name in pairwise(names)]
    return "\n".join(lines)


def _merges(levels: int, width: int) -> str:
    lines = ["m0: &m0 {k: 1}"]
    lines += [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * width)}], k{n}: 1}}" for n in range(1, levels)]
    return "\n".join(lines)


YAML = (
    Case("bomb-of-aliases", "CORE-1003", "aliases included", _laughs(10, 10)),
    Case("bomb-of-merges", "CORE-1003", "aliases included", _merges(60, 50)),
    Case("bomb-of-deep-aliases", "CORE-1003", "deeper than 100 levels",
         "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 300))),
    Case("alias-of-itself", "CORE-1003", "contains itself", "Actions: &a [*a]"),
    Case("alias-of-itself-in-a-map", "CORE-1003", "contains itself", "a: &a {b: {c: *a}}"),
    Case("alias-without-anchor", "CORE-1003", "no anchor before it", "Actions: *nobody"),
    Case("alias-before-its-anchor", "CORE-1003", "no anchor before it", "a: *b\nb: &b 1"),
    Case("alias-as-key", "CORE-1003", "alias cannot be a key", "a: &a x\n*a : 1"),
    Case("alias-from-another-document", "CORE-1003", "", "a: &a 1\n---\nb: *a"),
    Case("duplicate-key", "CORE-1003", "given twice", "Actions: []\nTargets: {}\nActions: []"),
    Case("duplicate-key-quoted", "CORE-1003", "given twice", "'a': 1\n\"a\": 2"),
    Case("duplicate-key-in-flow", "CORE-1003", "given twice", "{a: 1, b: {c: 1, c: 2}}"),
    Case("merge-of-a-number", "CORE-1003", "merges a map", "<<: 3"),
    Case("merge-of-a-list-of-texts", "CORE-1003", "merges a map", "<<: [a, b]"),
    Case("merge-of-a-text-alias", "CORE-1003", "merges a map", "a: &a x\nb: {<<: *a}"),
    Case("tab-as-indent", "CORE-1003", "never with tabs", "Actions:\n\t- Name: a"),
    Case("two-documents", "CORE-1003", "second document", "---\na: 1\n---\nb: 2\n"),
    Case("a-thousand-documents", "CORE-1003", "second document", "---\n1\n" * 1000),
    Case("unclosed-bracket", "CORE-1003", "not readable as YAML", "Actions: [{Name: a"),
    Case("unclosed-quote", "CORE-1003", "not readable as YAML", "Actions: 'a"),
    Case("bad-indentation", "CORE-1003", "not readable as YAML", "a:\n  b: 1\n c: 2"),
    Case("colon-in-a-plain-text", "CORE-1003", "not readable as YAML", "a: b: c"),
    Case("reserved-character", "CORE-1003", "not readable as YAML", "a: @b"),
    Case("percent-directive", "CORE-1003", "not readable as YAML", "%YAML 9.9\n---\na: 1"),
    Case("tag-of-python", "CORE-1003", "unknown tag", "a: !!python/object/apply:os.system [ls]"),
    Case("tag-of-python-name", "CORE-1003", "unknown tag", "a: !!python/name:os.system"),
    Case("tag-of-ruby", "CORE-1003", "unknown tag", "a: !ruby/object:Gem::Requirement {}"),
    Case("tag-nobody-knows", "CORE-1003", "did you mean !Sub", "a: !Subb x"),
    Case("tag-binary", "CORE-1003", "unknown tag", "a: !!binary aGVsbG8="),
    Case("tag-that-lies", "CORE-1003", "not a value of !!int", "a: !!int many"),
    Case("tag-on-a-key", "CORE-1003", "cannot have a tag", "!!int 5: a"),
    Case("key-that-is-a-list", "CORE-1003", "must be text", "? [a, b]\n: c"),
    Case("key-that-is-empty", "CORE-1003", "key is empty", "? \n: c"),
    Case("control-character", "CORE-1003", "control characters", "Actions: \x1b[31mred"),
    Case("nul-byte", "CORE-1003", "control characters", b"Actions: [\x00]"),
    Case("utf-16", "CORE-1003", "UTF-8", "Actions: []".encode("utf-16")),
    Case("utf-32", "CORE-1003", "UTF-8", "Actions: []".encode("utf-32")),
    Case("latin-1", "CORE-1003", "UTF-8", "Actions: caf\u00e9".encode("latin-1")),
    Case("half-a-character", "CORE-1003", "UTF-8", b"a: \xed\xa0\x80"),
    Case("overlong-utf-8", "CORE-1003", "UTF-8", b"a: \xc0\xaf"),
    Case("too-large", "CORE-1003", "larger than", "a: " + "x" * 9_000_000),
    Case("too-many-values", "CORE-1003", "more than 500000 values", "a: [" + "1," * 600_000 + "]"),
    Case("too-deep-lists", "CORE-1003", "deeper than 100 levels", "[" * 100_000),
    Case("too-deep-maps", "CORE-1003", "deeper than 100 levels", "{a: " * 50_000),
    Case("too-deep-blocks", "CORE-1003", "deeper than 100 levels", "".join(" " * n + "a:\n" for n in range(500))),
    Case("a-gzip-stream", "CORE-1003", "UTF-8", b"\x1f\x8b\x08\x00\x00\x00\x00\x00"),
    Case("a-merge-conflict", "CORE-1003", "not readable as YAML", "<<<<<<< HEAD\nActions: []\n=======\nActions: {}\n>>>>>>> b\n"),
)  # fmt: skip

SHORT = [case for case in YAML if len(case.given) < 1_000_000]


@cases(*YAML)
def test_deployspec_when_its_text_is_malformed_then_it_is_refused(case: Case) -> None:
    error = refusal(lambda: doors.compile_spec(case.given), case)
    assert error.where is not None
    assert error.where.startswith("deployspec.yaml")


@cases(*SHORT)
def test_template_when_its_text_is_malformed_then_it_is_refused(case: Case) -> None:
    error = refusal(lambda: doors.compile_files({"deployspec.yaml": doors.spec_of(doors.stack()), "t.yaml": case.given}))
    assert error.code == "CORE-2004"
    assert case.says in str(error)
    assert error.where is not None
    assert error.where.startswith("t.yaml")


@cases(*SHORT)
def test_registry_when_its_text_is_malformed_then_it_is_refused(case: Case) -> None:
    refusal(lambda: doors.registry(case.given), case)


JSON = (
    Case("nothing", "CORE-1004", "nothing here", ""),
    Case("only-spaces", "CORE-1004", "nothing here", " \n "),
    Case("null", "CORE-1004", "nothing here", "null"),
    Case("a-number", "CORE-1004", "must be a map", "1"),
    Case("a-list", "CORE-1004", "must be a map", "[]"),
    Case("a-text", "CORE-1004", "must be a map", '"deploy"'),
    Case("yaml", "CORE-1003", "not readable as JSON", "Client: acme"),
    Case("single-quotes", "CORE-1003", "not readable as JSON", "{'Client': 'acme'}"),
    Case("a-trailing-comma", "CORE-1003", "not readable as JSON", '{"Client": "acme",}'),
    Case("a-comment", "CORE-1003", "not readable as JSON", '{"Client": "acme"} // mine'),
    Case("two-values", "CORE-1003", "Extra data", '{"Client": "a"} {"Client": "b"}'),
    Case("cut-off", "CORE-1003", "not readable as JSON", '{"Client": "ac'),
    Case("a-raw-line-end-in-a-text", "CORE-1003", "not readable as JSON", '{"Client": "a\nb"}'),
    Case("a-duplicate-key", "CORE-1003", "given twice", '{"Client": "a", "Client": "b"}'),
    Case("a-duplicate-key-escaped", "CORE-1003", "given twice", '{"Client": "a", "\\u0043lient": "b"}'),
    Case("not-a-number", "CORE-1003", "NaN is not a JSON number", '{"Facts": {"A": NaN}}'),
    Case("infinity", "CORE-1003", "not a JSON number", '{"Facts": {"A": -Infinity}}'),
    Case("a-number-too-large", "CORE-1003", "too large", '{"Facts": {"A": 1e999}}'),
    Case("a-number-of-many-digits", "CORE-1003", "digits is too large", '{"Facts": {"A": ' + "7" * 6000 + "}}"),
    Case("a-lone-surrogate", "CORE-1003", "half a character", '{"Client": "\\ud800"}'),
    Case("too-deep", "CORE-1003", "deeper than 100 levels", '{"a":' * 400 + "1" + "}" * 400),
    Case("far-too-deep", "CORE-1003", "deeper than 100 levels", "[" * 1_000_000),
    Case("too-large", "CORE-1003", "larger than", '"' + "x" * 9_000_000 + '"'),
    Case("too-many-values", "CORE-1003", "values", "[" + "1," * 2_000_000 + "1]"),
    Case("utf-16", "CORE-1003", "UTF-8", '{"Client": "acme"}'.encode("utf-16")),
)  # fmt: skip


@cases(*JSON)
def test_payload_when_its_text_is_malformed_then_it_is_refused(case: Case) -> None:
    refusal(lambda: doors.read_payload(case.given), case)


@pytest.mark.parametrize("key", ["\\e[31mred", "\\x07", "\\u202e", "a\\nb", "\\x9b31m", "\\u2028"])
def test_key_when_it_could_steer_a_terminal_then_it_is_shown_and_not_sent(key: str) -> None:
    error = refusal(lambda: doors.compile_spec(f'"{key}": 1\nActions: []'))
    assert error.code == "CORE-1004"
    check_words(error.as_dict())
    assert not {"\u202e", "\u2028"} & set(str(error))
