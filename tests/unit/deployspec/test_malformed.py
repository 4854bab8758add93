"""Malformed definitions: each file of the corpus says in its first line which error it must give."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_lib.deployspec import Linter
from core_lib.framework.codecs import dump_yaml
from core_lib.framework.errors import CoreError
from tests.unit.deployspec.builders import compiled

CORPUS = Path(__file__).parents[2] / "corpus" / "deployspec"
CASES = sorted((CORPUS / "bad").glob("*.yaml"))
TEMPLATES = {path.name: path.read_bytes() for path in (CORPUS / "templates").iterdir()}
LINTER = Linter()


def test_corpus_when_counted_then_it_is_not_empty_by_accident() -> None:
    assert len(CASES) >= 100


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_definition_when_malformed_then_the_error_has_its_code_and_says_what(path: Path) -> None:
    text = path.read_text()
    code, _, words = text.partition("\n")[0].removeprefix("# expect: ").partition(" ")
    linter = LINTER if path.stem == "template-fails-cfn-lint" else None
    with pytest.raises(CoreError) as caught:
        compiled(text, files=TEMPLATES, linter=linter)
    assert caught.value.code == code, str(caught.value)
    assert words in str(caught.value)
    assert caught.value.where is not None


SCALARS = st.none() | st.booleans() | st.integers(-3, 10**12) | st.text(max_size=8) | st.sampled_from(
    ["{{ Portfolio }}", "{{ outputs.a.B }}", "{{", "audit", "eu-west-1", "t.yaml", "NoOp", "AWS::CreateStack", "*", "a"]
)  # fmt: skip
KEYS = st.sampled_from(
    ["Name", "Kind", "Spec", "Targets", "DependsOn", "After", "Before", "Condition", "Parameters", "Accounts", "Regions",
     "Common", "StackName", "Template", "Tags", "Actions", "spec", "label", "type", "Exclude", "Retry", "Scope",
     "Hooks", "Metadata"]
)  # fmt: skip
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20)
ACTIONS = st.fixed_dictionaries(
    {"Name": st.sampled_from(["a", "b", "c"]), "Kind": st.sampled_from(["NoOp", "CreateStack", "SetVariables", "x"])},
    optional=dict.fromkeys(
        ("Spec", "Targets", "DependsOn", "After", "Before", "Condition", "Parameters", "Retry", "Scope"), TREES
    ),
)


@given(
    st.one_of(
        TREES, st.fixed_dictionaries({"Actions": st.lists(ACTIONS, max_size=3)}, optional={"Targets": TREES, "Parameters": TREES})
    )
)
@settings(max_examples=250, deadline=None)
def test_definition_when_anything_at_all_then_it_compiles_or_gives_one_core_error(tree: object) -> None:
    error: CoreError | None = None
    try:
        compiled(dump_yaml(tree), fact={"AwsAccountId": "000000000003", "AwsRegion": "eu-west-1"})
    except CoreError as found:
        error = found
    assert error is None or (error.message and error.code != "CORE-0000")
