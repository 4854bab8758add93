"""Why: which layers set a field of an action, the winner first, each with its line or its place in the facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core_lib.db import Facts
from core_lib.deployspec.contexts import Place
from core_lib.deployspec.layers import read_layers
from core_lib.deployspec.placement import Placement
from core_lib.deployspec.places import located
from core_lib.deployspec.shapes import ShapeMaker
from core_lib.deployspec.sources import Sources
from core_lib.deployspec.spec_file import ActionSource, SpecFile, read_spec_files
from core_lib.execute import find_kind
from core_lib.framework.codecs import nearest
from core_lib.framework.errors import NotFoundError, SchemaError, TargetError
from core_lib.framework.models import Account, ActionSpec, Message, Task, TaskPayload
from core_lib.framework.package import Package
from core_lib.renderer import compile_tree

_NAMES_AS_TAGS = ("Client", "Portfolio", "App", "Branch", "Build", "Component", "Environment")
_OF_TARGET = ("AwsAccountId", "AwsRegion", "AccountName", "OrganizationalUnit", "AccountTags")


class Origin(Message):
    """One layer that sets a value. The first one wins; `fact ...` layers are what the expression above them is made of."""

    layer: str
    value: Any = None
    where: str


def spec_file_for(payload: TaskPayload, package: Package) -> SpecFile:
    """The definition that a payload's task is compiled from: its own file, else the deployspec, else the only other one."""
    files = read_spec_files(package)
    return files.get(payload.task) or files.get(Task.DEPLOY) or next(iter(files.values()))


def why(
    payload: TaskPayload, *, package: Package, facts: Facts, accounts: Sequence[Account], action: str, field: str
) -> list[Origin]:
    """The layers that set `field` of an action, the winner first.

    Args:
        action: a name (its first target is looked at), or `name@account/region`.
        field: dotted, e.g. `Parameters.Cidr`, `Tags.Owner`, `StackName`, `Retry.Attempts`.

    Raises:
        GraphError: no such action. TargetError: it has no such target. SchemaError: no such field.
    """
    file = spec_file_for(payload, package)
    placement = Placement(tuple(accounts), facts.values, payload.targets)
    name, _, target = action.partition("@")
    source = file.action(name)
    place = _place(file, source, target, placement)
    sources = Sources(package, "")
    tags = facts.tags(source.frame.scope or payload.deployment_details.effective_scope)
    maker = ShapeMaker.of(source, sources, read_layers(file.parameters, "file", placement.directory), placement.directory, tags)
    return list(_Search(source, place, maker, facts).origins(field))


def _place(file: SpecFile, source: ActionSource, target: str, placement: Placement) -> Place:
    targets = placement.place(file, source).targets
    if not targets.keys:
        raise TargetError(f"{source.name!r} has no target in this run", where=source.locate())
    if not target:
        return placement.by_key(targets.keys[0])
    where = f"{source.name}@{target}"
    account, _, region = target.rpartition("/")
    if not account:
        raise TargetError(f"{target!r} is not an account and region", where=where, hint="write name@account/region")
    with located(lambda: where):
        known = placement.directory.account_ids(account)
    key = f"{next(iter(known))}/{region}"
    if key not in targets.keys:
        near = nearest(key, targets.keys)
        raise TargetError(f"{source.name!r} has no target {target}", where=where, hint=f"did you mean {near}?" if near else None)
    return placement.by_key(key)


class _Search:
    """Looks for the origins of one action's fields in one target."""

    def __init__(self, source: ActionSource, place: Place, maker: ShapeMaker, facts: Facts) -> None:
        self._source = source
        self._place = place
        self._maker = maker
        self._facts = facts

    def origins(self, field: str) -> Iterator[Origin]:
        head, _, rest = field.partition(".")
        model = find_kind(self._source.kind).Params
        wire = {name: str(info.alias or name) for name, info in model.model_fields.items()}
        key = next((alias for name, alias in wire.items() if head in (name, alias)), head)
        if key == "Parameters" and rest and "parameters" in wire:
            return self._parameter(rest)
        if key == "Tags" and rest and "tags" in wire:
            return self._tag(rest)
        if key in wire.values():
            default = next(
                info.get_default(call_default_factory=True) for name, info in model.model_fields.items() if wire[name] == key
            )
            return self._plain(self._source.spec, key, rest, default, self._source.kind)
        return self._frame(head, rest, [*wire.values()])

    def _parameter(self, name: str) -> Iterator[Origin]:
        shape = self._maker.shape(self._place)
        template = shape.template
        if template is None or name not in template.parameters:
            known = template.parameters if template else {}
            near = nearest(name, known)
            hint = f"did you mean {near!r}?" if near else f"its parameters: {', '.join(known)}"
            raise SchemaError(f"the template declares no parameter {name!r}", where=self._source.locate(), hint=hint)
        layers = [layer for layer in reversed(self._maker.layers(self._place)) if name in layer.values]
        for index, layer in enumerate(layers):
            yield from self._written(layer.name, layer.values[name], layer.locate(name), expand=index == 0)
        rules = template.parameters[name].rules
        if "Default" in rules:
            yield Origin(layer="default of the template", value=rules["Default"], where=template.path)

    def _tag(self, key: str) -> Iterator[Origin]:
        tags = self._source.spec.get("Tags")
        found = False
        if isinstance(tags, dict) and key in tags:
            found = True
            yield from self._written(
                f"{self._source.name}: Spec.Tags", tags[key], self._source.locate_spec(("Tags", key)), expand=True
            )
        for fact in (key, f"Tags.{key}") if key in _NAMES_AS_TAGS and key in self._maker.tags else (f"Tags.{key}",):
            for origin in self._fact(fact):
                found = True
                yield origin
        if not found:
            near = nearest(key, self._maker.shape(self._place).spec["Tags"])
            raise SchemaError(
                f"no layer sets the tag {key!r}", where=self._source.locate(), hint=f"did you mean {near!r}?" if near else None
            )

    def _plain(self, values: Any, key: str, rest: str, default: Any, owner: str) -> Iterator[Origin]:
        if key in values:
            value = values[key]
            path: tuple[str, ...] = (key,)
            for step in filter(None, rest.split(".")):
                if not isinstance(value, dict) or step not in value:
                    raise SchemaError(f"{'.'.join(path)} has no {step!r}", where=self._source.locate_spec(path))
                value, path = value[step], (*path, step)
            yield from self._written(f"{self._source.name}: Spec", value, self._source.locate_spec(path), expand=True)
        else:
            yield Origin(layer=f"default of {owner}", value=_jsonable(default), where=owner)

    def _frame(self, head: str, rest: str, spec_keys: list[str]) -> Iterator[Origin]:
        fields = {str(info.alias or name): name for name, info in ActionSpec.model_fields.items()}
        name = fields.get(head) or (head if head in fields.values() else None)
        if name is None:
            near = nearest(head, [*spec_keys, *fields])
            raise SchemaError(
                f"an action has no field {head!r}", where=self._source.locate(), hint=f"did you mean {near!r}?" if near else None
            )
        value: Any = getattr(self._source.frame, name)
        for step in filter(None, rest.split(".")):
            value = getattr(value, step, getattr(value, step.lower(), None))
        written = name in self._source.frame.model_fields_set
        layer = f"{self._source.name}: {head}" if written else "default of an action"
        where = self._source.locate(
            *(key for key in self._source.section.data if key.replace("_", "").lower() == head.replace("_", "").lower())
        )
        yield Origin(layer=layer, value=_jsonable(value), where=where)

    def _written(self, layer: str, value: Any, where: str, *, expand: bool) -> Iterator[Origin]:
        tree = compile_tree(value)
        shown = tree.render(self._place.context).value if expand and not tree.is_constant else value
        yield Origin(layer=layer, value=shown, where=where)
        if not expand or tree.is_constant:
            return
        if shown != value:
            yield Origin(layer="the expression", value=value, where=where)
        for name in sorted(tree.names or ()):
            if name in _OF_TARGET:
                yield Origin(layer=f"fact {name} (target)", value=self._place.context[name], where=self._place.key)
            else:
                yield from self._fact(name)
        for reference in tree.references:
            text = f"{reference.label}.{reference.attribute}" if reference.attribute else reference.label
            yield Origin(layer=f"run time: {reference.kind}", value=text, where="known when the run gets there")

    def _fact(self, key: str) -> Iterator[Origin]:
        try:
            origins = self._facts.explain(key)
        except NotFoundError:
            return
        for origin in origins:
            layers = " + ".join(origin.layers)
            yield Origin(layer=f"fact {origin.key} ({layers})", value=origin.value, where="facts")
            for hidden in origin.hidden:
                yield Origin(layer=f"fact {origin.key}, hidden ({hidden.layer})", value=hidden.value, where="facts")


def _jsonable(value: Any) -> Any:
    if isinstance(value, Message):
        return value.as_dict()
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    return str(value) if value is not None and not isinstance(value, (str, int, float, bool, dict)) else value
