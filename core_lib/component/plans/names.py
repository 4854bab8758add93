"""Names that must not meet: two components whose stacks, or whose exports, would be called the same."""

from __future__ import annotations

from collections.abc import Iterator

from core_lib.component.model import APPLICATION, StageTemplate
from core_lib.component.plans.blueprint import Blueprint
from core_lib.component.plans.sheet import name_of
from core_lib.framework.errors import GraphError


def refuse_shared_names(blueprint: Blueprint) -> None:
    """Look at every stack and export name of a build.

    Raises:
        GraphError: two stages would have the same; names both.
    """
    stacks: dict[str, tuple[str, str]] = {}
    exports: dict[str, tuple[str, str]] = {}
    for owner, template in _templates(blueprint):
        _take(stacks, template.stack_name, (owner, template.stage), "stack", blueprint)
        for name in _exports(template):
            _take(exports, name, (owner, template.stage), "export", blueprint)


def _templates(blueprint: Blueprint) -> Iterator[tuple[str, StageTemplate]]:
    for template in blueprint.application.values():
        yield APPLICATION, template
    for name, each in blueprint.components.items():
        for template in each.stages.values():
            yield name, template


def _take(taken: dict[str, tuple[str, str]], name: str, mine: tuple[str, str], what: str, blueprint: Blueprint) -> None:
    other = taken.setdefault(name, mine)
    if other != mine:
        owner = blueprint.components.get(mine[0])
        raise GraphError(
            f"{name_of(*other)} and {name_of(*mine)} would both have the {what} {name!r}",
            where=owner.component.locate(()) if owner is not None else None,
            hint="names are lower case with dashes, and cut when they are long: rename one of the components",
        )


def _exports(template: StageTemplate) -> Iterator[str]:
    """Export names as they will be, as far as they are known now."""
    for output in (template.body.get("Outputs") or {}).values():
        name = output["Export"].get("Name") if isinstance(output, dict) and "Export" in output else None
        if isinstance(name, dict) and isinstance(name.get("Fn::Sub"), str):
            name = name["Fn::Sub"].replace("${AWS::StackName}", template.stack_name)
        if isinstance(name, str):
            yield name
