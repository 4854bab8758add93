"""Options for rollouts: waves from a file, and what is said of freeze windows before a run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.options import RunOptions
from cli.preflight import freeze_note
from cli.request import options_of, waves_of
from core_lib.framework.errors import CodecError, InputError, PackageError, PayloadError, SchemaError
from core_lib.framework.models import FreezeWindow
from tests.builders.plans import action, plan_of

XMAS = FreezeWindow.model_validate({"Name": "Christmas", "From": "2026-12-24T12:00", "Until": "2026-12-27T00:00"})


@pytest.mark.parametrize(
    "text", ["- {Share: 5%}\n- {Name: most, Share: 60%}\n", "Waves:\n  - {Share: 5%}\n  - {Name: most, Share: 60%}\n"]
)
def test_waves_when_given_in_a_file_then_they_are_in_the_options(tmp_path: Path, text: str) -> None:
    (tmp_path / "waves.yaml").write_text(text)
    waves = options_of(RunOptions(waves=tmp_path / "waves.yaml")).waves
    assert waves is not None
    assert [wave.title for wave in waves] == ["5%", "most"]


def test_waves_when_none_are_wanted_then_there_are_none_and_without_the_option_those_of_the_package_count() -> None:
    assert options_of(RunOptions(waves=Path("none"))).waves == ()
    assert options_of(RunOptions()).waves is None


@pytest.mark.parametrize(
    ("text", "error"),
    [(None, PackageError), ("Share: 5%", SchemaError), ("- {Shares: 5%}", SchemaError), ("- {", CodecError), ("", SchemaError)],
)
def test_waves_when_the_file_cannot_be_used_then_it_is_named(tmp_path: Path, text: str | None, error: type[InputError]) -> None:
    path = tmp_path / "waves.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(error) as found:
        waves_of(path)
    assert str(path) in (found.value.where or "")


def test_tolerance_when_not_given_then_the_waves_decide() -> None:
    assert options_of(RunOptions()).tolerance is None
    assert options_of(RunOptions(tolerance="0")).tolerance == "0"


def test_ignoring_a_freeze_when_no_reason_is_given_then_it_is_refused() -> None:
    with pytest.raises(PayloadError):
        options_of(RunOptions(ignore_freeze=""))
    assert options_of(RunOptions(ignore_freeze="CVE-2026-1")).ignore_freeze == "CVE-2026-1"


@pytest.mark.parametrize(
    ("now", "ignored", "words"),
    [
        ("2026-12-24T10:59", None, None),
        ("2026-12-24T11:30", None, "in 30 min begins a freeze"),
        ("2026-12-25T00:00", None, "until 2026-12-27 00:00 UTC is on; what changes anything is not started"),
        ("2026-12-25T00:00", "CVE-2026-1", "is on; ignored: CVE-2026-1"),
        ("2026-12-27T00:00", None, None),
    ],
)
def test_freeze_when_it_is_on_or_near_then_it_is_said_before_the_run(now: str, ignored: str | None, words: str | None) -> None:
    plan = plan_of([action("net")]).but(freeze_windows=(XMAS,))
    note = freeze_note(plan, datetime.fromisoformat(now).replace(tzinfo=UTC), ignored=ignored)
    assert (words in note) if words and note else note == words
