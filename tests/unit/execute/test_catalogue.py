"""Kinds: found by folder, named in many spellings, documented by their own metadata."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.execute import (
    Action,
    ActionContext,
    Done,
    Step,
    actions,
    canonical_kind,
    catalogue,
    json_schema,
    reference_markdown,
    token_for,
    validate_spec,
)
from core_lib.framework.errors import CoreError, SchemaError, UnknownKindError
from core_lib.framework.models import Message

KINDS = list(catalogue())


def test_catalogue_when_walked_then_every_file_is_one_kind_and_all_are_in_order() -> None:
    files = {path.stem for path in Path(actions.__path__[0]).glob("*.py")} - {"__init__"}
    assert sorted(KINDS) == KINDS
    assert {found.__module__.rpartition(".")[2] for found in catalogue().values()} == files
    assert len(KINDS) == len(files)


@pytest.mark.parametrize(
    "text",
    [
        "AWS::CreateStack",
        "aws::createstack",
        "aws.create_stack",
        "create-stack",
        "CreateStack",
        "create_stack",
        "Aws-Create-Stack",
    ],
)
def test_kind_when_spelled_in_any_accepted_way_then_it_is_the_same(text: str) -> None:
    assert canonical_kind(text) == "AWS::CreateStack"


def test_kind_when_misspelt_then_the_nearest_is_named() -> None:
    with pytest.raises(UnknownKindError, match="CreateStak") as caught:
        canonical_kind("CreateStak")
    assert "AWS::CreateStack" in (caught.value.hint or "")


def test_kind_when_nothing_is_near_then_all_are_listed() -> None:
    with pytest.raises(UnknownKindError) as caught:
        canonical_kind("???")
    assert "SYSTEM::NoOp" in (caught.value.hint or "")


@given(st.text(max_size=40))
def test_kind_when_any_text_is_given_then_it_is_a_kind_or_a_clear_error(text: str) -> None:
    try:
        assert canonical_kind(text) in KINDS
    except UnknownKindError as error:
        assert error.code == "CORE-2005"  # noqa: PT017 - an error is as good as a kind here


@pytest.mark.parametrize("kind", KINDS)
def test_metadata_when_read_then_every_kind_documents_itself(kind: str) -> None:
    found = catalogue()[kind]
    assert found.purpose.endswith(".")
    assert found.__doc__
    assert validate_spec(kind, found.example, allow_runtime=True) == dict(found.example)
    assert json_schema(kind)["type"] == "object"
    if kind.startswith("AWS::"):
        assert found.permissions
        assert all(re.fullmatch(r"[a-z0-9-]+:[A-Z][A-Za-z0-9]+", permission) for permission in found.permissions)
        assert found.source.startswith("https://docs.aws.amazon.com/")


def test_reference_page_when_generated_then_it_has_every_kind_with_parameters_and_permissions() -> None:
    page = reference_markdown()
    assert all(f"## {kind}\n" in page for kind in KINDS)
    assert "| `StackName` | string | required |" in page
    assert "`cloudformation:ExecuteChangeSet`" in page


def test_spec_when_keys_are_snake_case_then_they_come_back_in_pascal_case() -> None:
    assert validate_spec("create-stack", {"stack_name": "net", "template": "a.yaml"}) == {
        "StackName": "net",
        "Template": "a.yaml",
    }


def test_spec_when_a_key_is_unknown_then_the_nearest_is_named() -> None:
    with pytest.raises(SchemaError, match="unknown key 'Paramters', did you mean 'Parameters'") as caught:
        validate_spec("AWS::CreateStack", {"StackName": "a", "Template": "x", "Paramters": {}}, where="app.yaml:7")
    assert caught.value.where == "app.yaml:7"


def test_spec_when_several_things_are_wrong_then_all_are_told_at_once() -> None:
    with pytest.raises(SchemaError) as caught:
        validate_spec("AWS::CreateStack", {"StackName": "1-wrong", "TimeoutMinutes": 0})
    assert all(word in caught.value.message for word in ("StackName", "'Template' is missing", "TimeoutMinutes"))


def test_spec_when_an_expression_stands_for_something_else_then_it_is_accepted_until_run_time() -> None:
    spec = {"StackName": "{{ outputs.a.Name }}", "Template": "x", "TerminationProtection": "{{ vars.protect }}"}
    assert validate_spec("AWS::CreateStack", spec, allow_runtime=True) == spec
    with pytest.raises(SchemaError):
        validate_spec("AWS::CreateStack", spec)


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.one_of(st.none(), st.integers(), st.text(max_size=5), st.lists(st.integers(), max_size=2)),
        max_size=4,
    )
)
def test_spec_when_random_then_it_is_valid_or_a_core_error(spec: dict[str, object]) -> None:
    for kind in KINDS:
        try:
            validate_spec(kind, spec)
        except CoreError as error:
            assert error.code == "CORE-1004"  # noqa: PT017 - an error is as good as a valid spec here


def test_token_when_anything_differs_then_it_differs_and_fits_cloudformation() -> None:
    tokens = {token_for(run, each, attempt, why) for run in "ab" for each in "xy" for attempt in (1, 2) for why in ("p", "q")}
    assert len(tokens) == 16
    assert all(token.startswith("core-") and token.replace("-", "").isalnum() and len(token) == 37 for token in tokens)
    assert token_for("a", "x", 1, "p") == token_for("a", "x", 1, "p")


class Ping(Action[Message]):
    """A kind of another package."""

    kind = "ACME::Ping"
    purpose = "Answers."
    Params = Message

    def start(self, ctx: ActionContext[Message]) -> Step:
        """Over at once."""
        return Done()


class FakeNoOp(Ping):
    """Claims a kind that is taken."""

    kind = "SYSTEM::NoOp"


@pytest.mark.parametrize(("offer", "problem"), [("Ping", None), ("FakeNoOp", "claimed by"), ("KINDS", "is not an action kind")])
def test_entry_point_when_another_package_offers_a_kind_then_it_is_taken_or_refused(
    offer: str, problem: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = EntryPoint(name="ping", value=f"{__name__}:{offer}", group="core.actions")
    monkeypatch.setattr("core_lib.execute.kinds.entry_points", lambda group: [entry])
    catalogue.cache_clear()
    try:
        if problem is None:
            assert catalogue()["ACME::Ping"] is Ping
        else:
            with pytest.raises(UnknownKindError, match=problem):
                catalogue()
    finally:
        monkeypatch.undo()
        catalogue.cache_clear()
