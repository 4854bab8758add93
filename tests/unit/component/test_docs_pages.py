"""The manual's pages about components: their examples compile, and the generated pages say what the types say."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core_lib.component.checking import findings_of
from core_lib.component.guard import builtin_rules, rulebook, tag_policy
from core_lib.component.library import builtin_catalogue
from core_lib.db import Facts
from core_lib.framework.codecs import load_yaml
from tests.builders.component_facts import component_facts
from tests.builders.components import built, package_of

DOCS = Path(__file__).parents[3] / "docs"
TITLED = re.compile(r'```yaml title="([^"]+)"\n(.*?)```', re.DOTALL)


def files_of(page: str) -> dict[str, str]:
    return dict(TITLED.findall((DOCS / page).read_text()))


def findings(files: dict[str, str], **facts: Any) -> list[str]:
    values = Facts(component_facts(**facts))
    return [
        f"{each.rule} {each.severity} {each.waived}" for each in findings_of(built(files, **facts), values, package_of(files))
    ]


def test_quickstart_when_compiled_then_no_rule_is_broken_and_it_has_about_fifteen_lines() -> None:
    files = files_of("components-quickstart.md")
    assert [line for line in findings(files) if " info " not in line] == []
    assert len(files["platform/components/shop.yaml"].splitlines()) <= 16


def test_quickstart_when_it_shows_an_explanation_then_those_are_the_sentences() -> None:
    from core_lib.component.explain import explain, sentences

    made = built(files_of("components-quickstart.md"))
    told = sentences(explain(made.components["orders"], (), made.components.values()))
    shown = re.search(r"\$ core explain orders.*?\n(.*?)```", (DOCS / "components-quickstart.md").read_text(), re.DOTALL)
    assert shown is not None
    lines = [line.strip() for line in shown[1].splitlines() if line.strip() and "..." not in line and "stack" not in line]
    assert [line for line in lines if line not in told] == []


def test_guard_rails_when_the_waiver_is_compiled_then_its_finding_is_accepted() -> None:
    files = files_of("guard-rails.md")
    files["platform/components/news.yaml"] += "      Properties: {KmsMasterKeyId: ''}\n"
    assert findings(files) == ["sns-unencrypted error the mail gateway cannot use our key"]


def test_guard_rails_when_the_rules_are_read_then_they_count() -> None:
    book = rulebook({}, {"platform/rules/ours.yaml": files_of("guard-rails.md")["platform/rules/ours.yaml"].encode()})
    assert set(book.rules) - set(builtin_rules().rules) == {"table-on-demand", "one-region-only"}
    assert book.rules["s3-unversioned"].severity == "error"


def test_guard_rails_when_the_tag_policy_is_read_then_it_names_the_missing_tag() -> None:
    text = next(block for block in re.findall(r"```yaml\n(.*?)```", (DOCS / "guard-rails.md").read_text(), re.DOTALL))
    facts = load_yaml(text, "guard-rails.md").data
    assert [rule.fault({"CostCentre": "4711"}) for rule in tag_policy(facts)] == [None, "the tag Owner is missing", None]


@pytest.fixture
def pieces() -> Iterator[Any]:
    sys.path.insert(0, str(DOCS / "hooks"))
    try:
        import component_pieces

        yield component_pieces
    finally:
        sys.path.remove(str(DOCS / "hooks"))


def test_pages_of_types_when_generated_then_each_has_every_key_option_right_and_output(pieces: Any) -> None:
    made = pieces.pages()
    for kind in builtin_catalogue().types.values():
        text = made[pieces.page_of(kind)]
        file = kind.file
        for name in (*file.configuration, *file.options, *file.security.allow, *file.outputs, *file.guard, *file.lint):
            assert name in text, f"{kind.name}: {name}"
        assert text.startswith(f"# {kind.name}\n")
        assert all(line.count("|") == 6 for line in text.splitlines() if line.startswith("| `") and "how many" in line)


def test_overview_when_generated_then_every_type_has_a_place_where_it_deploys(pieces: Any) -> None:
    table = pieces.component_emulator()
    assert all(f"| {name} |" in table for name in builtin_catalogue().types)
    assert all(f"[{name}]" in pieces.component_types() for name in builtin_catalogue().types)


def test_rules_when_generated_then_every_rule_has_a_row_of_six_cells(pieces: Any) -> None:
    rows = [line for line in pieces.guard_rules().splitlines() if line.startswith("| `")]
    assert len(rows) == len(builtin_rules().rules)
    assert {row.count("|") for row in rows} == {7}
