"""Packages of components that are wrong, or mean harm: refused within seconds, with the place and the right word."""
# ruff: noqa: E501 - one case, one line

from __future__ import annotations

from itertools import pairwise

from core_lib.framework.package import LIMITS
from tests.builders.definitions import FILE, defined, table
from tests.malformed.case import Case, cases, refusal

JOB = "jobs: {Type: Test::Queue}\n"
VARS = "platform/vars/vars.yaml"
TYPE = "platform/types/Mine/Table/type.yaml"


def queue(*lines: str) -> str:
    return "\n".join(["jobs:", "  Type: Test::Queue", *(f"  {line}" for line in lines)]) + "\n"


def entry(*lines: str) -> str:
    return queue("Configuration:", "  Queue:", *(f"    {line}" for line in lines))


SHAPES = (
    Case("empty", "CORE-1006", "no components", ""),
    Case("a-text", "CORE-1004", "a map of names to components, not text", "deploy everything"),
    Case("a-list", "CORE-1004", "a map of names to components, not a list", "[a]"),
    Case("component-null", "CORE-1004", "a map with a Type, not nothing", "jobs:"),
    Case("component-a-text", "CORE-1004", "a map with a Type, not text", "jobs: Test::Queue"),
    Case("component-a-list", "CORE-1004", "a map with a Type, not a list", "jobs: [Test::Queue]"),
    Case("name-with-a-slash", "CORE-1004", "DNS names", "../jobs: {Type: Test::Queue}"),
    Case("name-with-an-underscore", "CORE-1004", "letters, digits and '-'", "my_jobs: {Type: Test::Queue}"),
    Case("name-ends-with-a-dash", "CORE-1004", "letters, digits and '-'", "jobs-: {Type: Test::Queue}"),
    Case("name-of-64-characters", "CORE-1004", "at most 63", f"{'j' * 64}: {{Type: Test::Queue}}"),
    Case("name-of-the-platform", "CORE-1004", "letters, digits and '-'", "_application: {Type: Test::Queue}"),
    Case("names-that-differ-in-case", "CORE-2002", "capitals do not count", JOB + "Jobs: {Type: Test::Queue}"),
    Case("names-twice-in-a-file", "CORE-1003", "given twice", JOB + JOB),
    Case("type-missing", "CORE-1004", "Type is missing", "jobs: {Persist: true}"),
    Case("type-null", "CORE-1004", "Type is missing", "jobs: {Type: }"),
    Case("type-a-list", "CORE-1004", "Type must be text", "jobs: {Type: [Test::Queue]}"),
    Case("type-mistyped", "CORE-2000", "did you mean Test::Queue?", "jobs: {Type: Test::Quue}"),
    Case("type-a-path", "CORE-2000", "no component type", "jobs: {Type: ../../etc}"),
    Case("key-mistyped", "CORE-1004", "did you mean DependsOn?", queue("DependOn: a")),
    Case("key-of-another-tool", "CORE-1004", "known are Type, DependsOn", queue("zzzzzz: 1")),
    Case("key-in-two-spellings", "CORE-1004", "mean the same", queue("persist: true", "Persist: true")),
    Case("persist-in-words", "CORE-1004", "Persist must be true or false", queue("Persist: sometimes")),
    Case("persist-a-number", "CORE-1004", "Persist must be true or false", queue("Persist: 2")),
    Case("version-a-map", "CORE-1004", "the name of a build", queue("PersistUpdateVersion: {a: b}")),
    Case("version-with-a-slash", "CORE-1004", "the name of a build", queue("PersistUpdateVersion: a/b")),
    Case("options-a-list", "CORE-1004", "Options must be a map", queue("Options: [a]")),
    Case("option-unknown", "CORE-1004", "unknown option 'Speed'; known are Check", queue("Options: {Speed: 1}")),
    Case("configuration-a-list", "CORE-1004", "Configuration must be a map", queue("Configuration: [a]")),
    Case("entry-mistyped", "CORE-1004", "did you mean Queue?", queue("Configuration: {Quue: {}}")),
    Case("entry-a-text", "CORE-1004", "Queue must be a map", queue("Configuration: {Queue: big}")),
    Case("entry-key-mistyped", "CORE-1004", "did you mean Properties?", entry("Property: {}")),
    Case("property-beside-properties", "CORE-1004", "write it under Properties", entry("DelaySeconds: 5")),
    Case("properties-a-list", "CORE-1004", "Properties must be a map", entry("Properties: [a]")),
    Case("policy-unknown", "CORE-1004", "DeletionPolicy must be one of Delete, Retain", entry("DeletionPolicy: Keep")),
    Case("policy-a-map", "CORE-1004", "DeletionPolicy must be one of", entry("DeletionPolicy: {a: b}")),
    Case("security-a-text", "CORE-1004", "maps with Source and Allow, not text", entry("Pipeline::Security: all")),
    Case("security-mistyped", "CORE-1004", "did you mean Source?", entry("Pipeline::Security: {Sorce: a, Allow: read}")),
    Case("security-without-allow", "CORE-1004", "Allow is missing", entry("Pipeline::Security: {Source: a}")),
    Case("security-allows-a-map", "CORE-1004", "Allow must be text", entry("Pipeline::Security: {Source: a, Allow: {b: c}}")),
    Case("security-allows-nothing", "CORE-1004", "Allow must be text", entry("Pipeline::Security: {Source: a, Allow: []}")),
    Case("security-of-nobody", "CORE-1004", "not nothing", entry("Pipeline::Security: {Source: [null], Allow: read}")),
    Case("security-where-none-is", "CORE-1004", "is not taken here", "a: {Type: Test::Table, Configuration: {Table: {}, LogGroup: {Pipeline::Security: {Source: a, Allow: read}}}}"),
    Case("property-mistyped", "CORE-1004", "did you mean DelaySeconds?", entry("Properties: {DelaySecond: 5}")),
    Case("property-of-aws", "CORE-1004", "is made by AWS", entry("Properties: {Arn: x}")),
    Case("property-refused", "CORE-1004", "cannot be set: the platform makes the name", table("TableName: x")),
    Case("property-a-list", "CORE-1004", "must be a single value, not a list", entry("Properties: {DelaySeconds: [5]}")),
    Case("property-a-text", "CORE-1004", "must be a list, not text", table("AttributeDefinitions: id")),
    Case("property-null", "CORE-1004", "has no value", entry("Properties: {DelaySeconds: }")),
    Case("property-far-below", "CORE-1004", "Table.AttributeDefinitions[0].AttributName", table("AttributeDefinitions: [{AttributName: x}]")),
    Case("word-mistyped", "CORE-1004", "did you mean PAY_PER_REQUEST?", table("BillingMode: PAY_PER_REQEST")),
    Case("too-few", "CORE-1004", "Table is missing in the Configuration", "a: {Type: Test::Table}"),
    Case("too-many", "CORE-1004", "3 keys that end in Alarm", "a: {Type: Test::Table, Configuration: {Table: {}, aAlarm: {}, bAlarm: {}, cAlarm: {}}}"),
    Case("depends-on-a-number", "CORE-1004", "DependsOn must be the name", queue("DependsOn: 5")),
    Case("depends-on-null", "CORE-1004", "DependsOn must be the name", queue("DependsOn: [null]")),
    Case("depends-on-unknown", "CORE-2002", "did you mean jobs?", JOB + "a: {Type: Test::Queue, DependsOn: job}"),
    Case("depends-on-itself", "CORE-2002", "waits for itself", queue("DependsOn: jobs")),
    Case("ring-of-3", "CORE-2002", "a -> b -> c -> a", "".join(f"{a}: {{Type: Test::Queue, DependsOn: {b}}}\n" for a, b in ("ab", "bc", "ca"))),
    Case("ring-of-1000", "CORE-2002", "wait for each other", "".join(f"a{n}: {{Type: Test::Queue, DependsOn: a{(n + 1) % 1000}}}\n" for n in range(1000))),
    Case("enforced-in-words", "CORE-1004", "true, false or warn", JOB, {"EnforceValidation": "perhaps"}),
)  # fmt: skip


@cases(*SHAPES)
def test_components_when_their_shape_is_wrong_then_the_line_and_the_right_word_are_named(case: Case) -> None:
    error = refusal(lambda: defined(case.given, **(case.more or {})), case)
    assert str(error.where).startswith((FILE, "facts"))


def bomb(letters: str = "abcdefghi") -> str:
    rows = [f"{letters[0]}: &{letters[0]} [{','.join('x' * 9)}]"]
    rows += [f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]" for old, new in pairwise(letters)]
    return "\n".join(rows) + "\n"


def own_type(options: str, given: str) -> dict[str, str]:
    body = f"Type: Mine::Table\nGroup: databases\nPurpose: A table.\nOptions: {options}\n"
    return {FILE: f"a: {{Type: Mine::Table, Options: {given}}}", TYPE: body}


DOUBLING = ", ".join(
    f"X{n}: {{anyOf: [{{$ref: '#/properties/X{n + 1}'}}, {{$ref: '#/properties/X{n + 1}'}}]}}" for n in range(40)
)
SLOW = "(?:a|aa)+$"
ALMOST = "a" * 80 + "b"
HOSTILE = (
    Case("bomb", "CORE-1003", "aliases included", bomb()),
    Case("bomb-in-a-template", "CORE-1003", "aliases included", "{% if true %}\n" + bomb() + "{% endif %}\n"),
    Case("bomb-in-vars", "CORE-1003", "aliases included", {FILE: JOB, VARS: bomb()}),
    Case("20-megabytes", "CORE-1003", "larger than 8388608 bytes", JOB + "#" + "x" * 20_000_000),
    Case("20-megabytes-of-vars", "CORE-1003", "larger than 8388608 bytes", {FILE: JOB, VARS: "#" + "x" * 20_000_000}),
    Case("50-megabytes", "CORE-1006", f"larger than {LIMITS.file_bytes} bytes", JOB + "#" + "x" * 50_000_000),
    Case("a-million-values", "CORE-1003", "more than 500000 values", "".join(f"c{n}: [1,2,3,4]\n" for n in range(200_000))),
    Case("a-hundred-thousand-components", "CORE-1006", "more than 10000 components", "".join(f"c{n}: {{Type: Test::Queue}}\n" for n in range(30_000))),
    Case("deep", "CORE-1003", "nested deeper", "a: " + "[" * 200 + "]" * 200),
    Case("not-utf-8", "CORE-1003", "not UTF-8", {FILE: b"a: \xff"}),
    Case("traversal", "CORE-1006", "leaves the package", {FILE: JOB, "platform/components/../../../etc/cron.d/x": ""}),
    Case("loops-in-loops", "CORE-1007", "loop rounds", "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}"),
    Case("loops-in-many-files", "CORE-1007", "loop rounds", {f"platform/components/{n}.yaml": "{% for a in range(9000) %}#\n{% endfor %}" for n in range(50)}),
    Case("a-range-without-end", "CORE-1007", "a range of more than", queue("Persist: '{{ range(10 ** 9) | list }}'")),
    Case("macro-without-end", "CORE-1007", "without end", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
    Case("text-without-end", "CORE-1007", "a text of more than", queue("Persist: \"{{ 'x' * 10 ** 9 }}\"")),
    Case("template-too-long", "CORE-1007", "more than 1000000 characters", "{% if true %}" + "x" * 1_000_001 + "{% endif %}"),
    Case("template-of-tags", "CORE-1007", "split the file", "{% if true %}" + "{{ App }}" * 20_000 + "{% endif %}"),
    Case("template-nested", "CORE-1007", "nested too deeply", "{% if true %}" * 4000 + "{% endif %}" * 4000),
    Case("a-large-value-often", "CORE-1007", "more than 500000 values", {FILE: "".join(f"c{n}: '{{{{ vars.l }}}}'\n" for n in range(1000)), VARS: f"_default: {{l: [{'1,' * 50_000}1]}}"}),
    Case("a-long-text-often", "CORE-1007", "16000000 in total", {FILE: "".join(f"c{n}: '{{{{ vars.l }}}}'\n" for n in range(1000)), VARS: f"_default: {{l: {'x' * 500_000}}}"}),
    Case("match-without-end", "CORE-1004", "takes longer than", {FILE: JOB, VARS: f"x: {{match: '{SLOW}'}}"}, {"Branch": ALMOST}),
    Case("match-no-pattern", "CORE-1004", "not a regular expression", {FILE: JOB, VARS: "x: {match: '(a'}"}),
    Case("filter-without-end", "CORE-1007", "takes longer than", queue(f"Persist: \"{{{{ '{ALMOST}' | regex_replace('{SLOW}', '') }}}}\"")),
    Case("own-type-pattern-without-end", "CORE-1004", "takes longer than", own_type(f"{{X: {{pattern: '{SLOW}'}}}}", f"{{X: {ALMOST}}}")),
    Case("own-type-keys-without-end", "CORE-1004", "takes longer than", own_type(f"{{X: {{patternProperties: {{'{SLOW}': {{type: string}}}}}}}}", f"{{X: {{{ALMOST}: 1, b: 2}}}}")),
    Case("own-type-doubling", "CORE-1004", "steps", own_type(f"{{{DOUBLING}, X40: {{type: integer}}}}", "{X0: a}")),
    Case("own-type-refers-to-itself", "CORE-1004", "without end", own_type("{X: {$ref: '#/properties/X'}}", "{X: 1}")),
    Case("own-type-refers-to-the-network", "CORE-1004", "which is not in it", own_type("{X: {$ref: 'http://127.0.0.1:1/x'}}", "{X: 1}")),
    Case("own-type-refers-to-a-file", "CORE-1004", "which is not in it", own_type("{X: {$ref: 'file:///etc/passwd'}}", "{X: 1}")),
    Case("own-type-no-schema", "CORE-1004", "not a JSON Schema", own_type("{X: {type: 5}}", "{X: 1}")),
    Case("own-type-no-pattern", "CORE-1004", "not a JSON Schema", own_type("{X: {pattern: '('}}", "{X: a}")),
    Case("ten-thousand-unknown-names", "CORE-2002", "at least 60 faults", "".join(f"orders-{n}: {{Type: Test::Queue, DependsOn: ordres-{n}}}\n" for n in range(9_000))),
    Case("a-hundred-thousand-unknown-properties", "CORE-1004", "at least 60 faults", entry(f"Properties: {{{', '.join(f'x{n}: 1' for n in range(100_000))}}}")),
)  # fmt: skip


@cases(*HOSTILE)
def test_package_when_it_means_harm_then_it_is_refused_within_seconds(case: Case) -> None:
    refusal(lambda: defined(case.given, **(case.more or {})), case)


ESCAPES = (
    "''.__class__.__mro__[1].__subclasses__()", "facts.__class__", "vars.get.__self__", "vars['__class__']", "vars | attr('__class__')",
    "range.__globals__", "namespace.__init__.__globals__", "lipsum.__globals__", "cycler.__init__", "self._TemplateReference__context",
    "context.keys.__func__", "'{0.__class__}'.format(facts)", "'../../../etc/passwd' | read_file", "'/etc/passwd' | read_file",
    "('a' ~ 'b').format_map(facts)", "raise('x' * 5)", "facts.update({})", "caller()",
)  # fmt: skip
STATEMENTS = ("{% include '/etc/passwd' %}", "{% import 'os' as os %}", "{% extends 'x' %}", "{% set vars = 1 %}", "{% autoescape true %}{% endautoescape %}",
              "{% do facts.update({}) %}")  # fmt: skip
ATTEMPTS = [f"{{{{ {escape} }}}}" for escape in ESCAPES] + list(STATEMENTS)


@cases(*(Case(attempt, "CORE-1007", "", attempt) for attempt in ATTEMPTS))
def test_sandbox_when_an_expression_reaches_out_of_it_then_it_is_refused_in_trees_templates_and_vars(case: Case) -> None:
    text = f"jobs:\n  Type: |-\n    {case.given}\n"
    refusal(lambda: defined(text), case)
    refusal(lambda: defined("{% if true %}\n" + text + "{% endif %}"), case)
    refusal(lambda: defined({FILE: JOB, VARS: f"_defaults:\n  x: |-\n    {case.given}\n"}), case)
