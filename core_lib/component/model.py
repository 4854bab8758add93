"""What the parts of the component compiler hand to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core_lib.framework.codecs import Path
from core_lib.framework.models import Prn

if TYPE_CHECKING:
    from core_lib.component.library import Catalogue, ComponentType, EntryRule
    from core_lib.deployspec import CompileWarning

APPLICATION = "_application"
"""Owner of what belongs to the whole app: the stage `kms`."""

ANCHOR = "Anchor"
"""Output and export of stacks that others may not lose: CloudFormation refuses to delete what a pointers stack imports."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A value that is known at run time: an output of the stage of a component (or of `_application`, or of `prn:...`)."""

    owner: str
    stage: str
    output: str


@dataclass(frozen=True, slots=True)
class Grant:
    """One item of a `Pipeline::Security`: who (`source`, as written) may do what (`allow`), and where that is written."""

    source: Any
    allow: tuple[str, ...]
    path: Path


@dataclass(frozen=True)
class Entry:
    """One resource of a component's Configuration. The maps hold rendered values; after `functions` also Wire leaves."""

    key: str
    rule: EntryRule
    path: Path
    properties: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    policies: Mapping[str, Any] = field(default_factory=dict)
    """CreationPolicy, UpdatePolicy, DeletionPolicy, UpdateReplacePolicy, as far as they are written."""
    grants: tuple[Grant, ...] = ()
    links: Mapping[str, Any] = field(default_factory=dict)
    agents: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Component:
    """One component as it was written, checked against its type."""

    name: str
    type: ComponentType
    written_type: str
    options: Mapping[str, Any]
    depends_on: tuple[str, ...]
    persist: bool
    persist_update_version: str | None
    entries: Mapping[str, Entry]
    locate: Callable[[Path], str]
    """`file:line:column` of a path below the component, e.g. ("Configuration", "Table", "Properties", "BillingMode")."""


@dataclass(frozen=True)
class Definitions:
    """All components of a package by name, in name order, the merged vars, and the types that they were held against.

    `warnings` are findings that do not stop the compile, see the fact EnforceValidation.
    """

    components: Mapping[str, Component]
    variables: Mapping[str, Any]
    catalogue: Catalogue
    warnings: tuple[CompileWarning, ...] = ()


@dataclass(frozen=True)
class Released:
    """What the CMDB knows: the released build of the branch, the `resources` stacks that components go on using (those of this
    build, else those of the released one), and the components that this build was deployed with before.

    `unfinished` are other builds of the app that have begun and not come to an end: they hold nothing yet of what they use.
    """

    build: str | None = None
    stacks: Mapping[str, str] = field(default_factory=dict)
    deployed: frozenset[str] = frozenset()
    unfinished: tuple[Prn, ...] = ()


@dataclass(frozen=True)
class StageTemplate:
    """A finished template: `body` is plain CloudFormation, `parameters` has a value for each of its parameters."""

    stage: str
    stack_name: str
    body: Mapping[str, Any]
    parameters: Mapping[str, str | Wire]


@dataclass(frozen=True)
class Step:
    """One more action of a component, made from its type's Steps: rendered but for `outputs.<stage>.<Output>`."""

    name: str
    kind: str
    spec: Mapping[str, Any]
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True)
class Compiled:
    """A component with its templates by stage and its steps by task (deploy, release, teardown).

    `uses`: other owners that its templates take outputs of, with the stages. `persisted`: the stack of a released build that is
    used instead of an own stage `resources`; then the stages context, logs, bake and resources are not made.
    """

    component: Component
    stages: Mapping[str, StageTemplate]
    steps: Mapping[str, tuple[Step, ...]]
    uses: frozenset[tuple[str, str]]
    persisted: str | None = None
    retains: bool = False
