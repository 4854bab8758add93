"""What holds for every component type: its examples compile to what it says; cfn-lint and guard rails find nothing."""

from __future__ import annotations

import re
from functools import cache

import pytest

from core_lib.component import Built
from core_lib.component.explain import component_graph, explain, sentences
from core_lib.component.guard import builtin_rules, guard
from core_lib.component.library import ComponentType, builtin_catalogue
from core_lib.component.model import ANCHOR, Compiled
from core_lib.deployspec import Linter
from core_lib.framework.codecs import dump_yaml
from tests.builders.component_facts import REGION
from tests.builders.components import built, example_files, examples

TYPES = sorted(builtin_catalogue().types)
EXAMPLES = examples()
LINTED = [
    pytest.param(name, file, marks=[] if file == "example.yaml" else [pytest.mark.slow])  # cfn-lint takes its time
    for name, file in EXAMPLES
]
LINTER = Linter()


def type_of(name: str) -> ComponentType:
    return builtin_catalogue().types[name]


@cache
def example(name: str, file: str = "example.yaml") -> Built:
    return built(example_files(type_of(name), file))


def own(name: str, made: Built) -> list[Compiled]:
    """The components of an example that are of the type."""
    return [compiled for compiled in made.components.values() if compiled.component.type.name == name]


@pytest.mark.parametrize(("name", "file"), EXAMPLES)
def test_example_when_it_is_compiled_then_there_are_templates_for_the_type(name: str, file: str) -> None:
    compiled = own(name, example(name, file))
    assert compiled
    assert all(each.stages for each in compiled)


@pytest.mark.parametrize("name", TYPES)
def test_configuration_when_the_examples_are_put_together_then_every_key_is_used(name: str) -> None:
    used: set[str] = set()
    for file in (path for found, path in EXAMPLES if found == name):
        for compiled in own(name, example(name, file)):
            used |= {rule[0] for key in compiled.component.entries if (rule := compiled.component.type.rule_of(key))}
    assert used == set(type_of(name).file.configuration)


@pytest.mark.parametrize("name", TYPES)
def test_outputs_when_the_examples_are_put_together_then_those_that_are_documented_are_made(name: str) -> None:
    documented = set(type_of(name).file.outputs)
    made: set[str] = set()
    for file in (path for found, path in EXAMPLES if found == name):
        for compiled in own(name, example(name, file)):
            resources = compiled.stages.get("resources")
            for output in set(resources.body.get("Outputs", {}) if resources else {}) - {ANCHOR}:
                names = {output, "*"} | {
                    f"${{Key}}{output.removeprefix(key)}" for key in compiled.component.entries if output.startswith(key)
                }
                assert names & documented, f"{output} is not documented"
                made |= names & documented
    assert made == documented


@pytest.mark.parametrize("name", TYPES)
def test_page_when_it_is_read_then_it_says_something(name: str) -> None:
    assert len(type_of(name).files["page.md"].decode().split()) >= 40


@pytest.mark.parametrize(("name", "file"), LINTED)
def test_templates_when_linted_then_every_finding_has_a_written_reason(name: str, file: str) -> None:
    accepted = set(type_of(name).file.lint)
    found = [
        f"{compiled.component.name}.{stage}:{finding.line} {finding.rule} {finding.message}"
        for compiled in own(name, example(name, file))
        for stage, template in compiled.stages.items()
        for finding in LINTER.lint(dump_yaml(template.body).encode(), [REGION])
        if finding.level != "informational" and finding.rule not in accepted
    ]
    assert found == []


@pytest.mark.parametrize(("name", "file"), EXAMPLES)
def test_templates_when_guarded_then_no_rule_is_broken_without_a_written_reason(name: str, file: str) -> None:
    made = example(name, file).components.values()
    templates = [(each.component, template) for each in made for template in each.stages.values()]
    assert [
        str(finding) for finding in guard(templates, builtin_rules()) if finding.severity != "info" and not finding.waived
    ] == []


@pytest.mark.parametrize(("name", "file"), EXAMPLES)
def test_explanation_when_it_is_told_then_no_value_is_left_unsaid(name: str, file: str) -> None:
    made = example(name, file)
    for compiled in own(name, made):
        told = explain(compiled, (), made.components.values())
        text, drawn = sentences(told), component_graph(told)
        assert not re.search(r"\bFn::|\{'|Pipeline::|\bNone\b", text), text
        assert all(line.count('"') in (0, 2, 4) for line in drawn.splitlines())
