"""Batches: few sub-flows, nothing lost, and an order in which they can be started without waiting for each other in a circle."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core_lib.execute.batches import MOST_BANDS, make_batches
from tests.unit.flows.builders import unit


def test_make_batches_when_300_accounts_in_4_regions_then_12_batches_of_whole_accounts() -> None:
    units = [unit(account, region=region) for account in range(300) for region in ("a", "b", "c", "d")]
    batches = make_batches(units, 25)
    assert [len(batch.units) for batch in batches] == [100] * 12
    accounts = [{u.target.split("/")[0] for u in batch.units} for batch in batches]
    assert all(not first & second for i, first in enumerate(accounts) for second in accounts[i + 1 :])


def test_make_batches_when_accounts_do_not_divide_evenly_then_batches_are_alike() -> None:
    batches = make_batches([unit(account) for account in range(26)], 25)
    assert [len(batch.units) for batch in batches] == [13, 13]


def test_make_batches_when_a_hub_comes_first_then_its_batch_does_too() -> None:
    hub = unit(0)
    spokes = [unit(account, 1, upstream=(hub.key,)) for account in range(1, 60)]
    first, *others = make_batches([hub, *spokes], 25)
    assert first.units == (hub,)
    assert first.title == "segment 0, 700000000000"
    assert [len(batch.units) for batch in others] == [20, 20, 19]


def test_make_batches_when_a_chain_is_2500_targets_long_then_still_few_batches() -> None:
    chain = [unit(n, n, upstream=(unit(n - 1, n - 1).key,) if n else ()) for n in range(2500)]
    batches = make_batches(chain, 25)
    assert len(batches) <= MOST_BANDS
    assert sum(len(batch.units) for batch in batches) == 2500


def test_make_batches_when_there_are_no_units_then_no_batches() -> None:
    assert make_batches([], 25) == []


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 20)), unique=True, min_size=1, max_size=60),
    st.integers(1, 10),
    st.data(),
)
def test_make_batches_when_any_graph_then_a_batch_waits_only_for_itself_or_earlier_ones(places, size, data) -> None:
    units = []
    for segment, account in sorted(places):
        earlier = [u.key for u in units if u.segment < segment]
        upstream = data.draw(st.lists(st.sampled_from(earlier), max_size=3, unique=True)) if earlier else []
        units.append(unit(account, segment, upstream=tuple(upstream)))
    batches = make_batches(units, size)
    number_of = {u.key: batch.number for batch in batches for u in batch.units}
    assert sorted(number_of) == sorted(u.key for u in units)
    for batch in batches:
        for member in batch.units:
            for upstream in member.upstream_units:
                same_segment_split = number_of[upstream] > batch.number
                assert not same_segment_split
