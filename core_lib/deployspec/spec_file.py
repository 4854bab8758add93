"""Spec files: what a user wrote, read into actions that know the line of each of their values.

`deployspec`, `planspec`, `applyspec` and `teardownspec` (.yaml, .yml or .json) at the root of the package are the definitions of
the tasks deploy, plan, apply and teardown. A file is a map with `Actions` (and `Targets`, `Waves`, `Parameters`), or the bare
list of actions of the reference system, whose older spellings `legacy` translates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core_lib.deployspec.legacy import Translated, translate
from core_lib.deployspec.places import located
from core_lib.execute import canonical_kind
from core_lib.framework.codecs import Document, TaggedValue, load_document, nearest, parse
from core_lib.framework.errors import GraphError, PackageError, SchemaError
from core_lib.framework.models import ActionSpec, Task
from core_lib.framework.package import Package

SPEC_NAMES: Mapping[str, Task] = {
    "deployspec": Task.DEPLOY,
    "planspec": Task.PLAN,
    "applyspec": Task.APPLY,
    "teardownspec": Task.TEARDOWN,
}
_SUFFIXES = (".yaml", ".yml", ".json")
_SECTIONS = {"Targets": "Targets", "targets": "Targets", "Parameters": "Parameters", "parameters": "Parameters",
             "Waves": "Waves", "waves": "Waves", "Actions": "Actions", "actions": "Actions"}  # fmt: skip

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Section:
    """A part of a file that is rendered before it is understood: its data and where it is."""

    data: Any
    path: Path
    document: Document

    def locate(self, path: Path = ()) -> str:
        """`file:line:column` of a value inside."""
        return self.document.locate((*self.path, *path))


@dataclass(frozen=True)
class ActionSource:
    """One action as written: its checked frame, its kind, its spec (keys in PascalCase, expressions untouched)."""

    frame: ActionSpec
    kind: str
    spec: Mapping[str, Any]
    section: Section
    targets: Section | None
    parameters: Section | None
    written: Mapping[str, Path] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The action's name."""
        return self.frame.name

    def locate(self, *path: str | int) -> str:
        """`file:line:column` of the action, or of one of its keys."""
        return self.section.locate(path)

    def locate_spec(self, path: Path) -> str:
        """`file:line:column` of a value in the spec; `path` starts with the key in PascalCase."""
        if not path:
            return self.locate(*self.written.get("", ()))
        head = self.written.get(str(path[0]))
        return self.section.locate((*head, *path[1:]) if head is not None else self.written.get("", ()))


@dataclass(frozen=True)
class SpecFile:
    """One definition: the task it is for and its actions in file order."""

    task: Task
    source: str
    document: Document
    actions: tuple[ActionSource, ...]
    targets: Section | None = None
    parameters: Section | None = None
    waves: Section | None = None

    def action(self, name: str) -> ActionSource:
        """The action of this name.

        Raises:
            GraphError: there is none; the hint names the nearest.
        """
        for action in self.actions:
            if action.name == name:
                return action
        near = nearest(name, [action.name for action in self.actions])
        raise GraphError(f"there is no action {name!r}", where=self.source, hint=f"did you mean {near!r}?" if near else None)


def read_spec_files(package: Package) -> dict[Task, SpecFile]:
    """Every spec file of the package, by task.

    Raises:
        PackageError: none at all, or one of them twice.
        CodecError, SchemaError, CompileError: what is in them cannot be used.
    """
    found: dict[Task, SpecFile] = {}
    for name, task in SPEC_NAMES.items():
        paths = [name + suffix for suffix in _SUFFIXES if name + suffix in package.files]
        if len(paths) > 1:
            raise PackageError(f"{' and '.join(paths)} are both there", where=package.origin, hint="keep one of them")
        if paths:
            found[task] = read_spec_file(task, load_document(package.files[paths[0]], paths[0]))
    if not found:
        raise PackageError("there is no deployspec in the package", where=package.origin, hint=_hint_for_missing(package))
    return found


def _hint_for_missing(package: Package) -> str:
    for path in package.files:
        folder, _, file_name = path.rpartition("/")
        if folder and file_name.partition(".")[0] in SPEC_NAMES and file_name.endswith(_SUFFIXES):
            return f"{path} is there: make {folder}/ the root of the package"
    return "put deployspec.yaml (or planspec, applyspec, teardownspec) at its root"


def read_spec_file(task: Task, document: Document) -> SpecFile:
    """One definition from its document.

    Raises:
        SchemaError: unknown key, wrong type. GraphError: a name used twice. UnknownKindError: an unknown kind.
    """
    sections = _sections(document)
    entries = sections.pop("Actions")
    if not isinstance(entries.data, list) or not entries.data:
        raise SchemaError("'Actions' is a list of at least one action", where=entries.locate())
    actions: list[ActionSource] = []
    by_name: dict[str, ActionSource] = {}
    for index, entry in enumerate(entries.data):
        action = _read_action(Section(entry, (*entries.path, index), document))
        if other := by_name.get(action.name):
            raise GraphError(
                f"two actions are named {action.name!r}", where=action.locate(), hint=f"the other one: {other.locate()}"
            )
        by_name[action.name] = action
        actions.append(action)
    return SpecFile(
        task,
        document.source,
        document,
        tuple(actions),
        sections.get("Targets"),
        sections.get("Parameters"),
        sections.get("Waves"),
    )


def _sections(document: Document) -> dict[str, Section]:
    data = document.data
    if isinstance(data, list):
        return {"Actions": Section(data, (), document)}
    if data is None:
        raise SchemaError("the file is empty", where=document.source, hint="a spec lists at least one action under 'Actions'")
    if not isinstance(data, dict):
        raise SchemaError("a spec is a map with 'Actions', or a list of actions", where=document.locate())
    sections: dict[str, Section] = {}
    for key, value in data.items():
        name = _SECTIONS.get(key)
        if name is None:
            near = nearest(key, ("Targets", "Waves", "Parameters", "Actions"))
            raise SchemaError(
                f"unknown key {key!r}", where=document.locate((key,)), hint=f"did you mean {near!r}?" if near else None
            )
        if name in sections:
            raise SchemaError(f"{name!r} is written twice", where=document.locate((key,)))
        if value is not None:
            sections[name] = Section(value, (key,), document)
    if "Actions" not in sections:
        raise SchemaError(
            "'Actions' is missing", where=document.locate(), hint="a spec lists at least one action under 'Actions'"
        )
    return sections


def _read_action(section: Section) -> ActionSource:
    if not isinstance(section.data, dict):
        raise SchemaError("an action is a map with a 'Name' and a 'Kind'", where=section.locate())
    _refuse_tags(section.data, (), section)
    with located(section.locate):
        entry: Translated = translate(section.data)
    frame = parse(ActionSpec, section.document, path=section.path, value=entry.frame)
    with located(lambda: section.locate(entry.kind_path)):
        kind = canonical_kind(frame.kind)
    parts: dict[str, Section | None] = {}
    for name, part in (("targets", entry.targets), ("parameters", entry.parameters)):
        parts[name] = Section(part.data, (*section.path, *part.path), section.document) if part else None
    return ActionSource(frame, kind, entry.spec, section, parts["targets"], parts["parameters"], entry.written)


def _refuse_tags(data: Any, path: Path, section: Section) -> None:
    if isinstance(data, TaggedValue):
        raise SchemaError(
            f"{data.tag} is a function of CloudFormation templates, not of specs",
            where=section.locate(path),
            hint="use an expression such as {{ outputs.network.VpcId }}",
        )
    if isinstance(data, dict):
        for key, value in data.items():
            _refuse_tags(value, (*path, key), section)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            _refuse_tags(value, (*path, index), section)
