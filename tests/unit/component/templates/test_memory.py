"""Unchanged components are not rendered again."""

from __future__ import annotations

from pathlib import Path

import pytest

from core_lib.component import Built, Released, build_components
from core_lib.component.templates import Memory
from core_lib.db import Facts
from core_lib.framework.errors import PackageError
from tests.builders.component_facts import component_facts
from tests.builders.components import package_of

QUEUES = "".join(
    f"{name}: {{Type: AWS::SQS::Queue, Configuration: {{Queue: {{Properties: {{DelaySeconds: {delay}}}}}}}}}\n"
    for name, delay in (("a", 1), ("b", 2))
)


def compiled(text: str, path: Path | None, **facts: str) -> tuple[Built, int]:
    """What is built, and how many trees were rendered for it."""
    memory = Memory(path)
    made = build_components(package_of({"c.yaml": text}), Facts(component_facts(**facts)), Released(), memory=memory)
    return made, memory.rendered


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "page.json"


def bodies(made: Built) -> dict[str, object]:
    return {f"{name}.{stage}": each for name, one in made.components.items() for stage, each in one.stages.items()}


def test_memory_when_nothing_has_changed_then_nothing_is_rendered_and_the_templates_are_the_same(page: Path) -> None:
    first, rendered = compiled(QUEUES, page)
    again, rendered_again = compiled(QUEUES, page)
    fresh, _ = compiled(QUEUES, None)
    assert rendered > 0
    assert rendered_again == 0
    assert bodies(again) == bodies(first) == bodies(fresh)
    assert again.components["a"].steps == first.components["a"].steps


def test_memory_when_one_component_has_changed_then_only_that_one_is_rendered(page: Path) -> None:
    _, all_of_them = compiled(QUEUES, page)
    made, rendered = compiled(QUEUES.replace("DelaySeconds: 2", "DelaySeconds: 3"), page)
    assert 0 < rendered < all_of_them / 2
    assert bodies(made) == bodies(compiled(QUEUES.replace("DelaySeconds: 2", "DelaySeconds: 3"), None)[0])


def test_memory_when_a_fact_has_changed_then_everything_is_rendered(page: Path) -> None:
    _, first = compiled(QUEUES, page)
    assert compiled(QUEUES, page, Environment="dev")[1] == first


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"a": {"trees": {}}}'])
def test_memory_when_it_cannot_be_read_then_everything_is_rendered_and_it_is_written_anew(page: Path, content: str) -> None:
    page.parent.mkdir()
    page.write_text(content)
    assert compiled(QUEUES, page)[1] > 0
    assert compiled(QUEUES, page)[1] == 0


def test_memory_when_the_folder_cannot_be_written_then_the_compile_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    made, _ = compiled(QUEUES, tmp_path / "file" / "page.json")
    assert set(made.components) >= {"a", "b"}


def test_pages_when_a_file_that_was_read_has_changed_then_they_are_not_used(tmp_path: Path) -> None:
    files = {"x.json": "1"}

    def read(name: str) -> str:
        if name not in files:
            raise PackageError(f"there is no file {name!r}")
        return files[name]

    def tree_of(path: Path) -> tuple[str, int]:
        memory = Memory(path)
        pages = memory.pages("key", read)
        text = str(pages.tree("t", lambda: "made of " + pages.read("x.json", files["x.json"])))
        memory.save()
        return text, memory.rendered

    assert tree_of(tmp_path / "m.json") == ("made of 1", 1)
    assert tree_of(tmp_path / "m.json") == ("made of 1", 0)
    files["x.json"] = "2"
    assert tree_of(tmp_path / "m.json") == ("made of 2", 1)
    del files["x.json"]
    assert Memory(tmp_path / "m.json").pages("key", read).tree("t", lambda: "new") == "new"
