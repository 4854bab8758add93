"""Targets: who is in, where, and why everybody else is out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.deployspec import Directory, refine, resolve_targets
from core_lib.deployspec.regions import known_regions
from core_lib.framework.errors import TargetError
from core_lib.framework.models import Account, AccountState, Exclusion, Selection
from tests.unit.deployspec.builders import ACCOUNTS, account

REGIONS = ("eu-west-1", "us-east-1")


def names(selection: Selection, **more: Any) -> list[str]:
    targets = resolve_targets(selection, ACCOUNTS, **more)
    return [targets.accounts[identity].name for identity in targets.regions_of]


def select(**parts: Any) -> Selection:
    return Selection(**({"regions": ("eu-west-1",)} | parts))


def test_accounts_when_given_by_id_or_name_then_both_are_found() -> None:
    assert names(select(accounts=("000000000003", "shop-prod"))) == ["audit", "shop-prod"]


def test_accounts_when_star_then_everybody_active_is_in() -> None:
    assert len(names(select(accounts=("*",)))) == len(ACCOUNTS) - 1


def test_units_when_given_then_accounts_below_are_in_too() -> None:
    assert names(select(organizational_units=("/workloads",))) == ["shop-prod", "bank-prod", "shop-test"]
    assert names(select(organizational_units=("workloads/test/",))) == ["shop-test"]


def test_units_when_root_then_everybody_active_is_in() -> None:
    assert len(names(select(organizational_units=("/",)))) == len(ACCOUNTS) - 1


def test_accounts_and_units_when_both_given_then_they_are_united() -> None:
    assert names(select(accounts=("audit",), organizational_units=("/workloads/test",))) == ["audit", "shop-test"]


def test_tags_when_given_alone_then_they_select_from_everybody() -> None:
    assert names(select(tags={"tier": ("1", "2")})) == ["shop-prod", "bank-prod", "shop-test"]
    assert names(select(tags={"tier": ("2",), "team": ("shop",)})) == ["shop-test"]
    assert names(select(tags={"team": ("*",)})) == ["shop-prod", "bank-prod", "shop-test"]


def test_tags_when_given_with_units_then_they_narrow_the_union() -> None:
    assert names(select(organizational_units=("/workloads/prod",), accounts=("audit",), tags={"tier": ("2",)})) == ["bank-prod"]


def test_exclusion_when_given_then_accounts_units_and_regions_are_out() -> None:
    everything = Exclusion(accounts=("audit",), organizational_units=("/workloads/prod",), regions=("us-east-1",))
    targets = resolve_targets(Selection(accounts=("*",), regions=REGIONS, exclude=everything), ACCOUNTS)
    assert [targets.accounts[identity].name for identity in targets.regions_of] == ["management", "network", "shop-test"]
    assert set(targets.regions_of.values()) == {("eu-west-1",)}


def test_suspended_accounts_when_selected_then_they_are_skipped_with_a_reason() -> None:
    targets = resolve_targets(select(organizational_units=("/workloads/prod",)), ACCOUNTS)
    assert [(entry.account_name, entry.reason) for entry in targets.skipped] == [("old-prod", "account is suspended")]


@pytest.mark.parametrize("state", [state for state in AccountState if state is not AccountState.ACTIVE])
def test_accounts_when_not_active_then_they_are_skipped(state: AccountState) -> None:
    targets = resolve_targets(select(accounts=("x",)), [account(1, "x", state=state)])
    assert targets.regions_of == {}
    assert targets.skipped[0].reason == f"account is {state.value}"


def test_regions_when_an_account_has_not_enabled_one_then_that_target_is_skipped() -> None:
    accounts = [account(1, "x", regions=("eu-west-1",)), account(2, "y")]
    targets = resolve_targets(Selection(accounts=("*",), regions=REGIONS), accounts)
    assert targets.keys == ("000000000001/eu-west-1", "000000000002/eu-west-1", "000000000002/us-east-1")
    assert [(entry.account, entry.region) for entry in targets.skipped] == [("000000000001", "us-east-1")]


def test_nothing_selected_when_facts_name_a_home_then_it_is_the_target() -> None:
    targets = resolve_targets(None, ACCOUNTS, home_account=account(99, "home"), home_region="eu-west-1")
    assert targets.keys == ("000000000099/eu-west-1",)
    assert targets.targets[0].account_name == "home"


@pytest.mark.parametrize(
    ("selection", "text"), [(None, "no target"), (Selection(accounts=("audit",)), "no region"), (select(), "no target")]
)
def test_nothing_selected_when_there_is_no_home_then_it_is_an_error(selection: Selection | None, text: str) -> None:
    with pytest.raises(TargetError, match=text):
        resolve_targets(selection, ACCOUNTS)


@pytest.mark.parametrize(
    ("selection", "text"),
    [
        (select(accounts=("shop-prd",)), r"no account has the id or name 'shop-prd' \(did you mean 'shop-prod'"),
        (select(accounts=("000000000099",)), "no account has the id"),
        (select(organizational_units=("/workload",)), r"'/workload' \(did you mean '/workloads'"),
        (select(tags={"teir": ("1",)}), r"no account has a tag 'teir' \(did you mean 'tier'"),
        (select(accounts=("audit",), regions=("eu-west-11",)), r"no region 'eu-west-11' \(did you mean 'eu-west-1'"),
        (select(accounts=("audit",), exclude=Exclusion(accounts=("adit",))), "did you mean 'audit'"),
        (select(accounts=("audit",), exclude=Exclusion(regions=("moon-1",))), "no region 'moon-1'"),
    ],
)
def test_selection_when_a_name_is_unknown_then_the_nearest_is_named(selection: Selection, text: str) -> None:
    with pytest.raises(TargetError, match=text):
        resolve_targets(selection, ACCOUNTS)


def test_names_when_two_accounts_share_one_then_ids_are_asked_for() -> None:
    with pytest.raises(TargetError, match=r"2 accounts are named 'x' \(use an id: 000000000001, 000000000002\)"):
        resolve_targets(select(accounts=("x",)), [account(1, "x"), account(2, "x")])


def test_names_when_the_directory_is_empty_then_the_hint_says_so() -> None:
    with pytest.raises(TargetError, match="directory is empty"):
        resolve_targets(select(accounts=("x",)), [])


def test_narrowing_when_it_names_accounts_then_only_common_ones_remain() -> None:
    narrow = Selection(accounts=("shop-prod", "audit"))
    assert names(select(organizational_units=("/workloads",)), narrow=narrow) == ["shop-prod"]


def test_narrowing_when_it_names_regions_then_only_common_ones_remain() -> None:
    targets = resolve_targets(
        Selection(accounts=("audit",), regions=REGIONS), ACCOUNTS, narrow=Selection(regions=("us-east-1", "eu-central-1"))
    )
    assert targets.keys == ("000000000003/us-east-1",)


def test_refine_when_an_action_names_accounts_then_the_whole_who_part_is_replaced() -> None:
    file = Selection(organizational_units=("/workloads",), tags={"tier": ("1",)}, regions=REGIONS)
    assert refine(file, Selection(accounts=("network",))) == Selection(accounts=("network",), regions=REGIONS, exclude=None)


def test_refine_when_an_action_names_regions_then_the_who_part_stays() -> None:
    file = Selection(organizational_units=("/workloads",), regions=REGIONS, exclude=Exclusion(accounts=("x",)))
    refined = refine(file, Selection(regions=("us-east-1",)))
    assert refined.organizational_units == ("/workloads",)
    assert refined.regions == ("us-east-1",)
    assert refined.exclude == file.exclude


def test_refine_when_an_action_gives_an_empty_exclusion_then_nothing_is_excluded() -> None:
    file = Selection(accounts=("*",), regions=REGIONS, exclude=Exclusion(accounts=("x",)))
    assert refine(file, Selection(exclude=None)).exclude is None


def test_explanations_when_asked_then_every_account_has_a_reason() -> None:
    selection = select(
        organizational_units=("/workloads",),
        accounts=("audit",),
        tags={"team": ("shop", "bank")},
        exclude=Exclusion(accounts=("bank-prod",)),
    )
    found = {entry.account_name: (entry.included, entry.reason) for entry in resolve_targets(selection, ACCOUNTS).explanations}
    assert found == {
        "management": (False, "nothing selects it"),
        "network": (False, "nothing selects it"),
        "audit": (False, "named as 'audit', but without tag team in (shop, bank)"),
        "shop-prod": (True, "in the unit /workloads, tag team in (shop, bank)"),
        "bank-prod": (False, "excluded as 'bank-prod'"),
        "shop-test": (True, "in the unit /workloads, tag team in (shop, bank)"),
        "old-prod": (False, "in the unit /workloads, but without tag team in (shop, bank)"),
    }


UNITS = st.sampled_from(["/", "/a", "/a/b", "/a/b/c", "/d"])
STATES = st.sampled_from([AccountState.ACTIVE, AccountState.ACTIVE, AccountState.SUSPENDED])
FLEETS = st.lists(st.tuples(UNITS, STATES, st.sampled_from(["1", "2"])), min_size=1, max_size=12).map(
    lambda rows: [account(i, f"n{i}", unit, state=state, tags={"t": tag}) for i, (unit, state, tag) in enumerate(rows, 1)]
)


def brute_force(fleet: list[Account], chosen: set[str], unit: str | None, tag: str | None, excluded: set[str]) -> set[str]:
    def below(item: Account) -> bool:
        return unit is not None and (item.organizational_unit + "/").startswith(unit.rstrip("/") + "/")

    return {
        item.id
        for item in fleet
        if (item.name in chosen or below(item) or (not chosen and unit is None))
        and (tag is None or item.tags["t"] == tag)
        and item.name not in excluded
        and item.state is AccountState.ACTIVE
    }


@given(FLEETS, st.data())
def test_selection_when_anything_is_combined_then_it_equals_the_plain_definition(
    fleet: list[Account], data: st.DataObject
) -> None:
    everybody = [item.name for item in fleet]
    chosen = data.draw(st.sets(st.sampled_from(everybody), max_size=3))
    unit = data.draw(st.none() | st.sampled_from(sorted({item.organizational_unit for item in fleet})))
    tag = data.draw(st.none() | st.sampled_from(sorted({item.tags["t"] for item in fleet})))
    excluded = data.draw(st.sets(st.sampled_from(everybody), max_size=2))
    if not chosen and unit is None and tag is None:
        chosen = set(everybody)
    selection = Selection(
        accounts=tuple(sorted(chosen)), organizational_units=(unit,) if unit else (), tags={"t": (tag,)} if tag else {},
        regions=REGIONS, exclude=Exclusion(accounts=tuple(sorted(excluded))),
    )  # fmt: skip
    targets = resolve_targets(selection, fleet)
    assert set(targets.regions_of) == brute_force(fleet, chosen, unit, tag, excluded)
    assert list(targets.regions_of) == sorted(targets.regions_of)
    assert {entry.account for entry in targets.explanations if entry.included} == set(targets.regions_of)
    narrowed = resolve_targets(selection, fleet, narrow=Selection(accounts=(everybody[0],)))
    assert set(narrowed.regions_of) == set(targets.regions_of) & {fleet[0].id}


@pytest.mark.timeout(60)
def test_resolving_when_ten_thousand_accounts_and_twenty_regions_then_all_pairs_are_there() -> None:
    fleet = [
        account(i, f"n{i}", f"/workloads/{('prod', 'test')[i % 2]}/u{i % 40}", tags={"tier": str(i % 4)})
        for i in range(1, 10_001)
    ]
    regions = tuple(sorted(known_regions())[:20])
    targets = resolve_targets(
        Selection(organizational_units=("/workloads",), tags={"tier": ("0", "1", "2", "3")}, regions=regions), Directory(fleet)
    )
    assert len(targets) == len(targets.keys) == 200_000
