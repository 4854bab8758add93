"""From actions to sealed plans, and the templates as files by content."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from core_lib.component.model import APPLICATION, StageTemplate
from core_lib.component.plans.blueprint import Blueprint
from core_lib.component.plans.deploy import deploy_actions
from core_lib.component.plans.names import refuse_shared_names
from core_lib.component.plans.release import release_actions
from core_lib.component.plans.sheet import template_path
from core_lib.component.plans.teardown import teardown_actions
from core_lib.deployspec import apply_actions, change_set_names, freeze_windows, review_actions
from core_lib.framework.codecs import canonical_json, sha256_hex
from core_lib.framework.models import FileRef, Plan, PlanAction, PlanComponent, Provenance, Task

COMPILER = "component/1"


def make_plans(
    blueprint: Blueprint, client: str, *, package_sha256: str, sources: Sequence[str]
) -> tuple[dict[Task, Plan], dict[str, bytes]]:
    """All plans of a build, and the content of their files by artefact key.

    Args:
        blueprint: the build.
        client: whose it is.
        package_sha256: hash of the package that it was compiled from.
        sources: paths of its component files.

    Raises:
        GraphError: two stacks would have one name, or components wait for each other.
        ReferenceFault: an output that nothing provides.
    """
    refuse_shared_names(blueprint)
    files, bodies = _files(blueprint)
    provenance = Provenance(
        compiler=COMPILER,
        package_sha256=package_sha256,
        facts_sha256=sha256_hex(canonical_json(blueprint.facts.values)),
        sources=tuple(sources),
    )
    components = tuple(
        PlanComponent(name=name, type=each.component.type.name, resources_stack=blueprint.stack(name, "resources"))
        for name, each in blueprint.components.items()
    )
    windows = freeze_windows(blueprint.facts)

    def plan_of(task: Task, actions: tuple[PlanAction, ...]) -> Plan:
        used = {str(action.spec["Template"]) for action in actions if "Template" in action.spec}
        targets = {target.key: target for target in (blueprint.target, blueprint.key_target)}
        return Plan.model_construct(
            format_version=1,
            client=client,
            task=task,
            deployment=blueprint.deployment,
            targets=tuple(targets[key] for key in dict.fromkeys(action.target for action in actions)),
            skipped=(),
            actions=actions,
            files=tuple(files[path] for path in sorted(used)),
            waves=(),
            freeze_windows=windows,
            components=components,
            provenance=provenance,
            hash="",
        ).sealed()

    deployed = deploy_actions(blueprint)
    names = change_set_names(deployed, blueprint.deployment, files.values())
    plans = {
        Task.DEPLOY: plan_of(Task.DEPLOY, deployed),
        Task.PLAN: plan_of(Task.PLAN, review_actions(deployed, names)),
        Task.APPLY: plan_of(Task.APPLY, apply_actions(deployed, names)),
        Task.RELEASE: plan_of(Task.RELEASE, release_actions(blueprint)),
        Task.TEARDOWN: plan_of(Task.TEARDOWN, teardown_actions(blueprint)),
    }
    return plans, bodies


def template_bytes(template: StageTemplate) -> bytes:
    """A template as CloudFormation gets it: compact JSON, which YAML readers take too, in the order of the template."""
    return json.dumps(template.body, separators=(",", ":"), ensure_ascii=False).encode()


def _files(blueprint: Blueprint) -> tuple[dict[str, FileRef], dict[str, bytes]]:
    """The templates by path, and their content by key."""
    prefix = blueprint.deployment.key_prefix("artefacts")
    files: dict[str, FileRef] = {}
    bodies: dict[str, bytes] = {}
    for owner, template in _templates(blueprint):
        body = template_bytes(template)
        digest = sha256_hex(body)
        path = template_path(owner, template.stage)
        files[path] = FileRef(path=path, key=f"{prefix}/files/{digest}", sha256=digest, size=len(body))
        bodies[files[path].key] = body
    return files, bodies


def _templates(blueprint: Blueprint) -> Iterator[tuple[str, StageTemplate]]:
    owned: Mapping[str, Mapping[str, StageTemplate]] = {
        APPLICATION: blueprint.application,
        **{name: each.stages for name, each in blueprint.components.items()},
    }
    for owner, stages in owned.items():
        for template in stages.values():
            yield owner, template
