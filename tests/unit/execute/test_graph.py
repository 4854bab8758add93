"""Order, cycles, segments, units."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.execute import check_acyclic, find_cycle, order, segments, units
from core_lib.framework.errors import GraphError
from core_lib.framework.models import PlanAction
from tests.builders.plans import HERE, action, plan_of

PLACES = [HERE, "222222222222/eu-west-1", "333333333333/us-east-1"]


@st.composite
def graphs(draw: st.DrawFn) -> list[PlanAction]:
    """Acyclic graphs over three targets, in an order that has nothing to do with their edges."""
    count = draw(st.integers(1, 12))
    made: list[PlanAction] = []
    for number in range(count):
        upstream = draw(st.lists(st.sampled_from(made), max_size=3, unique_by=lambda each: each.id)) if made else []
        target = draw(st.sampled_from(PLACES))
        made.append(action(f"a{number}", target=target, after=[each.id for each in upstream]))
    return draw(st.permutations(made))


@given(graphs())
def test_order_when_acyclic_then_dependencies_come_first_and_all_are_there(actions: list[PlanAction]) -> None:
    ordered = [each.id for each in order(actions)]
    assert sorted(ordered) == sorted(each.id for each in actions)
    place = {identity: number for number, identity in enumerate(ordered)}
    assert all(place[dependency] < place[each.id] for each in actions for dependency in each.depends_on)


@given(graphs())
def test_segments_when_computed_then_each_hop_into_another_target_costs_one(actions: list[PlanAction]) -> None:
    found = segments(actions)
    by_id = {each.id: each for each in actions}
    for each in actions:
        hops = [found[d] + (by_id[d].target != each.target) for d in each.depends_on]
        assert found[each.id] == max(hops, default=0)


@given(graphs())
def test_units_when_cut_then_every_action_is_in_one_and_upstream_units_come_first(actions: list[PlanAction]) -> None:
    plan = plan_of(actions)
    cut = units(plan)
    assert sorted(identity for unit in cut for identity in unit.action_ids) == sorted(each.id for each in actions)
    home = {identity: unit.key for unit in cut for identity in unit.action_ids}
    seen: set[str] = set()
    for unit in cut:
        assert set(unit.upstream_units) <= seen
        needed = {home[d] for identity in unit.action_ids for d in plan.action_by_id[identity].depends_on} - {unit.key}
        assert set(unit.upstream_units) == needed
        seen.add(unit.key)


@given(graphs(), st.data())
def test_cycle_when_an_edge_closes_one_then_the_error_names_a_real_cycle(actions: list[PlanAction], data: st.DataObject) -> None:
    edges = {each.id: list(each.depends_on) for each in actions}
    start = data.draw(st.sampled_from(sorted(edges)))
    end = start
    while edges[end] and data.draw(st.booleans()):
        end = edges[end][0]
    edges[end].append(start)
    cycle = find_cycle(edges)
    assert cycle is not None
    assert cycle[0] == cycle[-1]
    assert all(after in edges[before] for before, after in itertools.pairwise(cycle))


def test_check_when_actions_wait_for_each_other_then_the_error_has_path_and_code() -> None:
    looped = [action("a", after=["c"]), action("b", after=["a"]), action("c", after=["b"]), action("d", after=["c"])]
    with pytest.raises(GraphError, match=r"a@.* -> c@.* -> b@.* -> a@") as caught:
        check_acyclic(looped)
    assert caught.value.code == "CORE-2002"


def test_order_when_a_dependency_is_unknown_then_the_error_names_both() -> None:
    with pytest.raises(GraphError, match="nowhere") as caught:
        order([action("a", after=["nowhere"])])
    assert caught.value.where == f"a@{HERE}"


def test_order_when_a_name_is_used_twice_then_it_is_refused() -> None:
    with pytest.raises(GraphError, match="used twice"):
        order([action("a"), action("a")])


def test_find_cycle_when_there_is_none_then_it_says_so() -> None:
    assert find_cycle({"a": [], "b": ["a", "outside"]}) is None


@pytest.mark.timeout(60)
def test_graph_when_ten_thousand_actions_are_chained_then_neither_stack_nor_time_runs_out() -> None:
    chain = [action(f"a{number}", after=[f"a{number - 1}"] if number else []) for number in range(10_000)]
    chain.reverse()
    check_acyclic(chain)
    assert set(segments(chain).values()) == {0}
