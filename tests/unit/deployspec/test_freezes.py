"""Freeze windows at compile time: from every layer of the facts, for the environment that is deployed to."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.db import Facts, merge_layers
from core_lib.deployspec import compile_deployspec
from core_lib.framework.errors import SchemaError
from core_lib.framework.models import Plan, Task
from tests.unit.deployspec.builders import ACCOUNTS, FACTS, package, payload, spec_of, stack

XMAS = {"Name": "Christmas", "From": "2026-12-24", "Until": "2026-12-26"}
NIGHT = {"Name": "nights", "Days": ["Fri"], "From": "18:00", "Until": "06:00", "Environments": ["prod"]}


def plan(facts: Facts, task: Task = Task.DEPLOY) -> Plan:
    made = compile_deployspec(payload(), package=package(spec_of(stack("net"))), facts=facts, accounts=ACCOUNTS, linter=None)
    return made.plan(task)


def layers(**given: Any) -> Facts:
    return merge_layers([("base", FACTS), *((name, {"FreezeWindows": windows}) for name, windows in given.items())])


def names(found: Plan) -> list[str]:
    return sorted(window.name for window in found.freeze_windows)


def test_windows_when_several_layers_have_some_then_all_hold_and_no_layer_can_take_one_away() -> None:
    assert names(plan(layers(client=[XMAS], portfolio=[NIGHT]))) == ["Christmas", "nights"]
    assert names(plan(layers(client=[XMAS], payload=[]))) == ["Christmas"]
    extended = merge_layers([("base", FACTS), ("client", {"FreezeWindows": [XMAS]}), ("app", {"FreezeWindows+": [NIGHT, XMAS]})])
    assert names(plan(extended)) == ["Christmas", "nights"]


def test_windows_when_they_are_for_other_environments_then_they_are_left_out() -> None:
    test = merge_layers([("base", {**FACTS, "Environment": "test"}), ("client", {"FreezeWindows": [XMAS, NIGHT]})])
    assert names(plan(test)) == ["Christmas"]


def test_windows_when_compiled_then_every_plan_has_them() -> None:
    for task in (Task.DEPLOY, Task.PLAN, Task.APPLY, Task.TEARDOWN):
        assert names(plan(layers(client=[XMAS]), task)) == ["Christmas"]
    assert Plan.model_validate(plan(layers(client=[NIGHT])).as_dict()).freeze_windows[0].start == "18:00"


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ({}, "is a list of windows"),
        ([{"Name": "x"}], "freeze window 'x': From"),
        ([{**XMAS, "TimeZone": "Berlin"}], "freeze window 'Christmas': TimeZone: 'Berlin' is no time zone"),
        (["Christmas"], "freeze window"),
    ],
)
def test_windows_when_they_cannot_be_read_then_the_layer_is_named(windows: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message) as found:
        plan(layers(portfolio=windows))
    assert (found.value.where or "").startswith(("portfolio", "facts"))
