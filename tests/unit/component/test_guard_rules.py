"""Every built-in rule: a template that breaks it, and one that does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core_lib.component.guard import builtin_rules, guard
from core_lib.component.model import StageTemplate
from core_lib.framework.codecs import load_document

CASES: dict[str, dict[str, Any]] = load_document(
    Path(__file__).with_name("guard_cases.yaml").read_bytes(), "guard_cases.yaml"
).data


def broken_rules(case: dict[str, Any]) -> set[str]:
    if "Type" in case:
        case = {"Thing": case}
    body = case if case.keys() & {"Parameters", "Outputs"} else {"Resources": case}
    return {finding.rule for finding in guard([("shop", StageTemplate("resources", "shop", body, {}))], builtin_rules())}


def test_cases_when_compared_with_the_rules_then_every_rule_has_one() -> None:
    assert set(CASES) == set(builtin_rules().rules)


@pytest.mark.parametrize("rule", CASES)
def test_rule_when_a_template_breaks_it_then_it_is_found(rule: str) -> None:
    assert rule in broken_rules(CASES[rule]["Breaks"])


@pytest.mark.parametrize("rule", CASES)
def test_rule_when_a_template_keeps_it_then_it_is_silent(rule: str) -> None:
    assert rule not in broken_rules(CASES[rule]["Fine"])


@pytest.mark.parametrize("rule", builtin_rules().rules.values(), ids=lambda rule: rule.id)
def test_rule_when_it_blocks_then_it_says_what_to_do(rule: Any) -> None:
    assert rule.hint
    assert not rule.message.endswith(".")
    assert rule.why.endswith(".")
