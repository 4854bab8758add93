"""The merge of facts: precedence, lists, origins; its laws as properties."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.db import LAYERS, FactSource, merge_facts, merge_layers
from core_lib.framework.errors import NotFoundError, SchemaError
from core_lib.framework.models import Level


def one_fact_per_layer(key: str, upto: str) -> dict[str, Any]:
    """The given key in every layer up to and including one; other layers are empty."""
    depth = LAYERS.index(upto) + 1
    arguments = {layer: ({key: layer} if layer in LAYERS[:depth] else {}) for layer in LAYERS}
    arguments["payload_facts"] = arguments.pop("payload")
    return arguments


@pytest.mark.parametrize("layer", LAYERS)
def test_merge_when_several_layers_say_something_then_the_latest_wins(layer: str) -> None:
    facts = merge_facts(**one_fact_per_layer("Zone", layer))
    assert facts.values == {"Zone": layer}


def test_merge_when_the_order_is_asked_for_then_it_is_the_documented_one() -> None:
    assert LAYERS == ("client", "zone", "account", "region", "portfolio", "app", "deployment", "payload")


def test_merge_when_values_are_maps_then_they_merge_key_by_key() -> None:
    facts = merge_layers([("client", {"Tags": {"Owner": "c", "Cost": "1"}}), ("app", {"Tags": {"Owner": "a"}})])
    assert facts.values == {"Tags": {"Owner": "a", "Cost": "1"}}


def test_merge_when_values_are_lists_then_the_later_replaces() -> None:
    facts = merge_layers([("client", {"NameServers": ["1", "2"]}), ("region", {"NameServers": ["3"]})])
    assert facts.values == {"NameServers": ["3"]}


def test_merge_when_a_key_ends_with_plus_then_the_list_is_added_to() -> None:
    layers = [("client", {"Nets": ["1"]}), ("region", {"Nets+": ["2"]}), ("app", {"Nets+": ["3"]})]
    facts = merge_layers(layers)
    assert facts.values == {"Nets": ["1", "2", "3"]}
    assert facts.explain("Nets")[0].layers == ("client", "region", "app")


def test_merge_when_there_is_nothing_to_add_to_then_the_list_stands_alone() -> None:
    assert merge_layers([("app", {"Deep": {"Nets+": ["2"]}})]).values == {"Deep": {"Nets": ["2"]}}


def test_merge_when_one_layer_sets_and_adds_then_setting_comes_first() -> None:
    layers = [("client", {"Nets": ["0"]}), ("app", {"Nets+": ["2"], "Nets": ["1"]})]
    assert merge_layers(layers).values == {"Nets": ["1", "2"]}


@pytest.mark.parametrize(("below", "value"), [("text", ["x"]), ({"A": 1}, ["x"]), (["x"], "text"), (["x"], {"A": 1})])
def test_merge_when_plus_meets_something_that_is_no_list_then_the_error_names_key_and_layer(below: Any, value: Any) -> None:
    with pytest.raises(SchemaError, match=r"app: Nets\+"):
        merge_layers([("client", {"Nets": below}), ("app", {"Nets+": value})])


def test_explain_when_a_value_hides_others_then_they_are_listed_latest_first() -> None:
    layers = [("client", {"Owner": 1}), ("zone", {"Owner": 2}), ("app", {"Owner": 3})]
    origin = merge_layers(layers).explain("Owner")[0]
    assert (origin.value, origin.layers) == (3, ("app",))
    assert origin.hidden == (FactSource("zone", 2), FactSource("client", 1))


def test_explain_when_a_map_is_asked_for_then_everything_below_it_comes() -> None:
    facts = merge_layers([("client", {"Tags": {"A": 1, "B": 2}, "TagsElse": 3})])
    assert [origin.key for origin in facts.explain("Tags")] == ["Tags.A", "Tags.B"]


def test_explain_when_there_is_no_such_fact_then_it_is_an_error() -> None:
    with pytest.raises(NotFoundError, match="Nothing"):
        merge_layers([("client", {"A": 1})]).explain("Nothing")


def test_tags_when_asked_for_a_scope_then_names_stop_at_that_level() -> None:
    values = {"Client": "acme", "Portfolio": "p", "App": "a", "Build": "7", "Environment": "prod", "Tags": {"Owner": "o"}}
    facts = merge_layers([("deployment", values)])
    assert facts.tags(Level.APP) == {"Owner": "o", "Client": "acme", "Portfolio": "p", "App": "a", "Environment": "prod"}
    assert facts.tags(Level.BUILD)["Build"] == "7"


def test_merge_when_the_result_is_changed_then_the_layers_are_not() -> None:
    layer: dict[str, Any] = {"Nets": ["1"], "Map": {"Deep": ["2"]}}
    facts = merge_layers([("client", layer)])
    facts.values["Nets"].append("x")
    facts.values["Map"]["Deep"].append("x")
    assert layer == {"Nets": ["1"], "Map": {"Deep": ["2"]}}


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
KEYS = st.sampled_from(["A", "B", "C"])
ANY_TREE = st.recursive(
    st.dictionaries(KEYS, SCALARS | st.lists(SCALARS, max_size=2), max_size=3),
    lambda below: st.dictionaries(KEYS, SCALARS | below, max_size=3),
    max_leaves=8,
)
# One shape per key: no layer turns a map into a value or back. Only then is the merge associative.
SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "Text": SCALARS,
        "List": st.lists(SCALARS, max_size=2),
        "Map": st.fixed_dictionaries({}, optional={"X": SCALARS, "List": st.lists(SCALARS, max_size=2)}),
    },
)


@given(st.lists(ANY_TREE, max_size=4))
def test_merge_whatever_the_layers_then_every_value_has_its_origin(trees: list[dict[str, Any]]) -> None:
    facts = merge_layers([(str(index), tree) for index, tree in enumerate(trees)])
    assert dict(leaves(facts.values)) == {path: origin.value for path, origin in facts.origins.items()}
    for path, origin in facts.origins.items():
        assert look_up(trees[int(origin.layers[-1])], path) == origin.value


@given(st.lists(ANY_TREE, max_size=3), ANY_TREE)
def test_merge_whatever_lies_below_then_the_last_layer_wins(below: list[dict[str, Any]], last: dict[str, Any]) -> None:
    facts = merge_layers([(str(index), tree) for index, tree in enumerate([*below, last])])
    for path, value in leaves(last):
        assert look_up(facts.values, path) == value


@given(SHAPED, SHAPED, SHAPED)
def test_merge_when_keys_keep_their_shape_then_it_is_associative(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    def merged(*trees: dict[str, Any]) -> dict[str, Any]:
        return merge_layers([(str(index), tree) for index, tree in enumerate(trees)]).values

    assert merged(merged(a, b), c) == merged(a, merged(b, c)) == merged(a, b, c)


@given(st.lists(st.tuples(st.booleans(), st.lists(SCALARS, max_size=3)), min_size=1, max_size=5))
def test_merge_when_lists_are_set_and_added_to_then_it_is_as_in_a_list(steps: list[tuple[bool, list[Any]]]) -> None:
    expected: list[Any] = []
    for extends, items in steps:
        expected = expected + items if extends else items
    facts = merge_layers([(str(index), {"L+" if extends else "L": items}) for index, (extends, items) in enumerate(steps)])
    assert facts.values == {"L": expected}


@given(ANY_TREE)
def test_merge_when_done_twice_with_the_same_layer_then_nothing_changes(tree: dict[str, Any]) -> None:
    assert merge_layers([("a", tree), ("b", tree)]).values == merge_layers([("a", tree)]).values


def leaves(tree: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for key, value in tree.items():
        found += leaves(value, (*path, key)) if isinstance(value, dict) else [((*path, key), value)]
    return found


def look_up(tree: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree
