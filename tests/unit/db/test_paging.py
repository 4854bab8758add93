"""Cursors: they lead on in their own list and are refused everywhere else."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.db.paging import read_cursor, write_cursor
from core_lib.framework.errors import InputError

KEYS = st.dictionaries(st.text(min_size=1, max_size=5), st.fixed_dictionaries({"S": st.text(max_size=9)}), min_size=1, max_size=4)


@given(KEYS, st.text(max_size=9))
def test_cursor_when_read_in_its_own_list_then_it_is_the_key(key: dict[str, dict[str, str]], scope: str) -> None:
    assert read_cursor(write_cursor(key, scope), scope) == key


@given(KEYS, st.text(max_size=9), st.text(max_size=9))
def test_cursor_when_read_in_another_list_then_it_is_refused(key: dict[str, dict[str, str]], scope: str, other: str) -> None:
    if scope != other:
        with pytest.raises(InputError):
            read_cursor(write_cursor(key, scope), other)


@given(st.text(max_size=60) | st.text("ABCDefgh0123-_=", max_size=60))
def test_cursor_when_it_is_any_text_then_it_is_refused_as_input(text: str) -> None:
    with pytest.raises(InputError):
        read_cursor(text, "runs")


@pytest.mark.parametrize("body", ["", "[1]", "{", "nonsense", "7"])
def test_cursor_when_forged_with_a_right_check_then_it_is_still_refused(body: str) -> None:
    check = hashlib.sha256(f"runs\n{body}".encode()).hexdigest()[:12]
    forged = base64.urlsafe_b64encode(f"{check}{body}".encode()).decode()
    with pytest.raises(InputError):
        read_cursor(forged, "runs")


def test_cursor_when_there_is_no_next_page_then_there_is_none() -> None:
    assert write_cursor(None, "runs") is None
    assert read_cursor(None, "runs") is None
