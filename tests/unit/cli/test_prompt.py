"""Questions: answered on a terminal, by --yes, or not at all."""

from __future__ import annotations

import io

import pytest
import typer

from cli.prompt import confirm
from cli.shell import Shell
from core_lib.framework.errors import InputError


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("typed", ["y\n", "YES\n", " yes \n"])
def test_confirm_when_the_answer_is_yes_goes_on(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))

    confirm(Shell(), "Really?", yes=False)


@pytest.mark.parametrize("typed", ["\n", "n\n", "", "yeah\n"])
def test_confirm_when_the_answer_is_anything_else_ends_with_5(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))

    with pytest.raises(typer.Exit) as ended:
        confirm(Shell(), "Really?", yes=False)

    assert ended.value.exit_code == 5


def test_confirm_with_yes_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    confirm(Shell(), "Really?", yes=True)


@pytest.mark.parametrize("json_mode", [True, False])
def test_confirm_when_nobody_can_answer_asks_for_yes(json_mode: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\n") if json_mode else io.StringIO("y\n"))

    with pytest.raises(InputError, match="nobody to ask"):
        confirm(Shell(json_mode=json_mode), "Really?", yes=False)
