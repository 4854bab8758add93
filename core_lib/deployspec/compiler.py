"""The compiler: payload + facts + accounts + package in, plans out. Pure: same inputs, same bytes, on any machine.

read_spec_files    what the user wrote                          spec_file, legacy
Placement          accounts and regions of every action         targets, directory
Expander           one instance per action and target           shapes (layers, templates), pairing, references
Rollout            waves, with their gates among the actions    wave_source, rings, members, gates
segments           where chains are cut between targets         execute
derive             plan, apply and teardown out of a deployspec
Linter             cfn-lint, once per distinct template
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core_lib.db import Facts
from core_lib.deployspec.compilation import Compilation
from core_lib.deployspec.derive import apply_actions, change_set_names, review_actions, teardown_actions
from core_lib.deployspec.expand import Expanded, Expander
from core_lib.deployspec.freezes import freeze_windows
from core_lib.deployspec.garbage import without_collection
from core_lib.deployspec.lint import Linter
from core_lib.deployspec.placement import Placement
from core_lib.deployspec.places import CompileWarning
from core_lib.deployspec.rollout import Rollout, Staged
from core_lib.deployspec.sources import Sources
from core_lib.deployspec.spec_file import SpecFile, read_spec_files
from core_lib.deployspec.wave_source import read_waves
from core_lib.execute import segments
from core_lib.framework.codecs import canonical_json, sha256_hex
from core_lib.framework.errors import GraphError, TemplateError
from core_lib.framework.models import Account, FileRef, Plan, PlanAction, Provenance, Task, TaskPayload
from core_lib.framework.package import Package

COMPILER = "deployspec/1"
_LINTER = Linter()
_DERIVED = (Task.PLAN, Task.APPLY, Task.TEARDOWN)


@without_collection()
def compile_deployspec(
    payload: TaskPayload,
    *,
    package: Package,
    facts: Facts,
    accounts: Sequence[Account],
    linter: Linter | None = _LINTER,
) -> Compilation:
    """Compile every definition of a package, and derive those it does not hold.

    Args:
        payload: whose deployment details and targets count.
        package: the files.
        facts: the deployment's merged facts.
        accounts: the organization's accounts.
        linter: checks the templates; one with a cache folder spares loading cfn-lint. None = templates are not linted.

    Raises:
        CoreError: something cannot be compiled; says what and where.
    """
    files = read_spec_files(package)
    sources = Sources(package, payload.deployment_details.key_prefix("artefacts"))
    placement = Placement(tuple(accounts), facts.values, payload.targets)
    expanded = {
        task: Expander(file, placement, sources, facts, payload.deployment_details).expand() for task, file in files.items()
    }
    warnings = [warning for result in expanded.values() for warning in result.warnings]
    if linter is not None:
        warnings += _lint(expanded.values(), sources, linter)
    plans = _Plans(payload, package, facts, sources, placement)
    made: dict[Task, Plan] = {}
    for task, result in expanded.items():
        made |= plans.all_of(task, result, [other for other in _DERIVED if task is Task.DEPLOY and other not in expanded])
    warnings += plans.warnings
    wanted = {file.key: file.path for plan in made.values() for file in plan.files}
    return Compilation(
        made,
        {key: package.files[path] for key, path in sorted(wanted.items())},
        tuple(sorted(set(warnings))),
        tuple(skipped for result in expanded.values() for skipped in result.skipped_actions),
        {task: result.targets for task, result in expanded.items()},
    )


def _with_segments(file: SpecFile, actions: Sequence[PlanAction]) -> tuple[PlanAction, ...]:
    """The actions with their segments; a cycle is reported with the line of one of its actions."""
    try:
        places = segments(actions)
    except GraphError as error:
        name = (error.where or "").partition("@")[0].removesuffix("*")
        raise GraphError(error.message, where=_line_of(file, name), hint=error.hint) from error
    return tuple(
        action if places[action.id] == action.segment else action.model_copy(update={"segment": places[action.id]})
        for action in actions
    )


def _line_of(file: SpecFile, name: str) -> str:
    return next((action.locate() for action in file.actions if action.name == name), file.source)


class _Plans:
    """Makes sealed plans that share everything but their actions. `warnings` are about the waves."""

    def __init__(self, payload: TaskPayload, package: Package, facts: Facts, sources: Sources, placement: Placement) -> None:
        self._payload = payload
        self._facts = facts.values
        self._sources = sources
        self._placement = placement
        self._package_hash = package.sha256
        self._facts_hash = sha256_hex(canonical_json(facts.values))
        self._refs: dict[str, FileRef] = {}
        self._windows = freeze_windows(facts)
        self.warnings: list[CompileWarning] = []

    def all_of(self, task: Task, result: Expanded, derived: Sequence[Task]) -> dict[Task, Plan]:
        """The plan of a definition, and the plans that are derived from it, each in its waves."""
        waves = read_waves(result.file, self._payload.options.waves, self._facts)
        rollout = Rollout(waves, self._placement.directory, self._facts, result.added)
        actions = _with_segments(result.file, result.actions)
        made = {task: self._of(task, result, rollout.stage(actions, "shown" if task is Task.PLAN else "full"))}
        names = change_set_names(actions, self._payload.deployment_details, made[task].files) if derived else {}
        for other in derived:
            if other is Task.PLAN:
                made[other] = self._of(other, result, rollout.stage(review_actions(actions, names), "shown"))
            elif other is Task.APPLY:
                made[other] = self._of(other, result, rollout.stage(apply_actions(actions, names), "full"))
            elif torn_down := teardown_actions(actions):
                made[other] = self._of(other, result, rollout.stage(torn_down, "counts"))
        return made

    def _of(self, task: Task, result: Expanded, staged: Staged) -> Plan:
        self.warnings += staged.warnings
        actions = _with_segments(result.file, staged.actions) if staged.waves else staged.actions
        plan = Plan.model_construct(
            format_version=1,
            client=self._payload.client,
            task=task,
            deployment=self._payload.deployment_details,
            targets=tuple(self._placement.by_key(key).target() for key in dict.fromkeys(action.target for action in actions)),
            skipped=result.skipped_targets,
            actions=actions,
            files=tuple(self._ref(path) for path in sorted(result.paths)),
            waves=staged.waves,
            freeze_windows=self._windows,
            provenance=Provenance(
                compiler=COMPILER, package_sha256=self._package_hash, facts_sha256=self._facts_hash, sources=(result.file.source,)
            ),
            hash="",
        )
        return plan.sealed()

    def _ref(self, path: str) -> FileRef:
        if path not in self._refs:
            self._refs[path] = self._sources.file_ref(path)
        return self._refs[path]


def _lint(results: Iterable[Expanded], sources: Sources, linter: Linter) -> list[CompileWarning]:
    """Lint every template that is used, for the regions it goes to. Errors stop the compile, the rest are warnings."""
    regions: dict[str, set[str]] = {}
    for result in results:
        for path, found in result.templates.items():
            regions.setdefault(path, set()).update(found)
    warnings: list[CompileWarning] = []
    errors: list[tuple[str, str]] = []
    for path, places in sorted(regions.items()):
        for finding in linter.lint(sources.package.read(path), places):
            place, text = f"{path}:{finding.line}", f"{finding.rule} {finding.message}"
            if finding.level == "error":
                errors.append((place, text))
            else:
                warnings.append(CompileWarning(place, text))
    if errors:
        where, first = errors[0]
        more = "".join(f"\n  {place}: {text}" for place, text in errors[1:20])
        hidden = f"\n  and {len(errors) - 20} more" if len(errors) > 20 else ""
        raise TemplateError(f"cfn-lint: {first}{more}{hidden}", where=where)
    return warnings
