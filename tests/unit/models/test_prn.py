"""PRNs and branch short names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from core_lib.framework.errors import PrnError
from core_lib.framework.models import LEVELS, Level, Prn, branch_short_name, short_name_collisions

SEGMENT = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,10}[A-Za-z0-9])?", fullmatch=True)
PRNS = st.lists(SEGMENT, min_size=1, max_size=5).map(lambda segments: Prn(*segments))


@given(PRNS)
def test_prn_when_written_and_parsed_then_it_is_the_same(prn: Prn) -> None:
    assert Prn.parse(str(prn)) == prn
    assert prn.level is LEVELS[len(prn.segments) - 1]


@pytest.mark.parametrize(
    "text",
    ["", "prn", "prn:", "prn::", "prn:a:", "prn:a::b", "a:b", "PRN:a",
     "prn:a:b:c:d:e:f", "prn:a b", "prn:-a", "prn:a-", "prn:.", "prn:..",
     "prn:a/b", "prn:a\n", "prn:a:b\n", "prn:é", "prn:" + "a" * 129, "prn:a:*", "prn:a\x00"],
)  # fmt: skip
def test_prn_when_malformed_then_prn_error_with_its_code(text: str) -> None:
    with pytest.raises(PrnError, match=r"^CORE-1002 "):
        Prn.parse(text)


@given(st.text(max_size=40))
def test_prn_when_given_anything_then_a_prn_or_a_prn_error(text: str) -> None:
    for candidate in (text, f"prn:{text}"):
        try:
            prn = Prn.parse(candidate)
        except PrnError:
            continue
        assert str(prn) == candidate


def test_prn_when_a_level_is_left_out_then_the_missing_one_is_named() -> None:
    with pytest.raises(PrnError, match="'build' is given but 'app' is not"):
        Prn("a", None, None, "7")


def test_prn_when_asked_for_its_relatives_then_parent_and_ancestors_from_the_top() -> None:
    prn = Prn.parse("prn:pay:led:main:7:db")
    assert prn.level is Level.COMPONENT
    assert str(prn.parent) == "prn:pay:led:main:7"
    assert [str(above) for above in prn.ancestors()][:2] == ["prn:pay", "prn:pay:led"]
    assert Prn("pay").parent is None


@given(st.lists(PRNS, max_size=8))
def test_prn_when_sorted_then_parents_come_before_what_is_below_them(prns: list[Prn]) -> None:
    everything = {above for prn in prns for above in prn.ancestors()}
    ordered = sorted(everything)
    assert all(prn.parent is None or ordered.index(prn.parent) < ordered.index(prn) for prn in ordered)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("prn:pay:led:main:7", True),
        ("prn:pay:led", True),
        ("prn:*:led:*", True),
        ("prn:pay:*:*:*", True),
        ("prn:*:*:*:*:*", True),
        ("prn:pay:other", False),
        ("prn:pay:led:main:8", False),
        ("prn:pay:led:main:7:db", False),
        ("prn:pay:led:ma*", False),
        ("pay:led", False),
        ("prn:*:*:*:*:*:*", False),
    ],
)
def test_prn_when_matched_with_a_pattern_then_each_segment_is_literal_or_a_star(pattern: str, fits: bool) -> None:
    assert Prn.parse("prn:pay:led:main:7").matches(pattern) is fits


@pytest.mark.parametrize(
    ("branch", "short"),
    [
        ("main", "main"),
        ("feature/ABC-12_x", "feature-abc-12-x"),
        ("feature/a-very-long-name-indeed", "feature-a-very-long"),
        ("--x--", "x"),
        ("release/1.2", "release-1-2"),
        ("///", ""),
    ],
)
def test_branch_short_name_when_given_a_branch_then_lower_case_dashes_and_twenty_characters(branch: str, short: str) -> None:
    assert branch_short_name(branch) == short


@given(st.text())
def test_branch_short_name_when_given_anything_then_it_is_short_and_stable(branch: str) -> None:
    short = branch_short_name(branch)
    assert len(short) <= 20
    assert branch_short_name(short) == short


def test_short_name_collisions_when_branches_share_a_short_name_then_they_are_listed() -> None:
    assert short_name_collisions(["feature/a", "feature-a", "main", "FEATURE/A", "main"]) == {
        "feature-a": ["FEATURE/A", "feature-a", "feature/a"]
    }


def test_prn_when_it_is_a_field_then_text_is_parsed_and_faults_are_validation_errors() -> None:
    adapter = TypeAdapter(Prn)
    assert adapter.validate_python("prn:a:b") == Prn("a", "b")
    assert adapter.dump_json(Prn("a", "b")) == b'"prn:a:b"'
    with pytest.raises(ValidationError, match="CORE-1002"):
        adapter.validate_python("a:b")
