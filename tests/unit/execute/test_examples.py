"""Every kind is documented, has a schema, and a test runs its example, its undo and its cancel (`tests/builders/claims.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from core_lib.execute import Action, Again, Done, Step, catalogue, find_kind, json_schema, reference_markdown
from core_lib.execute.actions.no_op import NoOp
from core_lib.execute.actions.wait import Wait
from tests.builders.claims import CLAIMS, claimed, held_to
from tests.builders.contexts import context_of

HAVING = {
    "example": sorted(catalogue()),
    "undo": sorted(name for name, kind in catalogue().items() if kind.undo is not Action.undo),
    "cancel": sorted(name for name, kind in catalogue().items() if kind.cancel is not Action.cancel),
}


@cache
def claims() -> Mapping[str, frozenset[str]]:
    return claimed(Path(__file__).parents[2])


@pytest.mark.parametrize(("claim", "kind"), [(claim, kind) for claim in CLAIMS for kind in HAVING[claim]])
def test_kind_when_in_the_catalogue_then_a_test_runs_its_example_and_its_undo_and_cancel(claim: str, kind: str) -> None:
    assert kind in claims()[claim], f'mark the test that runs it: @pytest.mark.{claim}("{kind}")'


@pytest.mark.parametrize("claim", CLAIMS)
def test_marks_when_they_name_kinds_then_these_exist(claim: str) -> None:
    assert {find_kind(kind).kind for kind in claims()[claim]} <= set(HAVING[claim])


def wait(method: str, **spec: Any) -> Step:
    step = getattr(Wait(), method)(context_of(Wait, scratch={"until": "2000-01-01T00:00:00+00:00"}, **spec))
    assert isinstance(step, Again | Done)
    return step


@pytest.mark.parametrize(
    ("mark", "method", "spec", "kept"),
    [
        (pytest.mark.example(Wait.kind), "check", Wait.example, True),
        (pytest.mark.example(Wait.kind), "check", {"Seconds": 7}, False),
        (pytest.mark.example(Wait.kind, but=("For", "Seconds")), "check", {"Seconds": 7}, True),
        (pytest.mark.example(Wait.kind), "start", Wait.example, False),
        (pytest.mark.cancel(Wait.kind), "cancel", Wait.example, True),
        (pytest.mark.cancel(Wait.kind), "check", Wait.example, False),
        (pytest.mark.undo(Wait.kind), "undo", Wait.example, True),
        (pytest.mark.undo(Wait.kind), "check", Wait.example, False),
    ],
)
def test_claim_when_the_test_does_not_do_what_it_says_then_it_fails(
    mark: pytest.MarkDecorator, method: str, spec: Mapping[str, Any], kept: bool
) -> None:
    before = Wait.check
    if kept:
        with held_to([mark.mark]):
            wait(method, **spec)
    else:
        with pytest.raises(AssertionError, match="SYSTEM::Wait"), held_to([mark.mark]):
            wait(method, **spec)
    assert Wait.check is before


def test_claim_when_another_kind_runs_then_it_does_not_count() -> None:
    with pytest.raises(AssertionError, match="did not come to Done"), held_to([pytest.mark.example(Wait.kind).mark]):
        NoOp().start(context_of(NoOp))


@pytest.mark.parametrize("kind", list(catalogue()))
def test_parameters_when_documented_then_each_says_what_it_means(kind: str) -> None:
    undocumented = [name for name, item in json_schema(kind).get("properties", {}).items() if not item.get("description")]
    assert not undocumented
    assert f"### {kind}\n" in reference_markdown()
