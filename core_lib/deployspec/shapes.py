"""Shapes: the spec of an action for a target, rendered, checked, and shared by all targets for which it is the same."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core_lib.deployspec.contexts import Place
from core_lib.deployspec.directory import Directory
from core_lib.deployspec.layers import NO_LAYERS, Layer, Layers, own_layer, read_layers, stack_up
from core_lib.deployspec.places import located
from core_lib.deployspec.sources import Sources
from core_lib.deployspec.spec_file import ActionSource, Path, Section
from core_lib.deployspec.tags import check_tags
from core_lib.deployspec.templates import Template, parameter_faults, parameter_text
from core_lib.execute import find_kind, validate_spec
from core_lib.framework.codecs import nearest
from core_lib.framework.errors import CompileError, SchemaError, TemplateError
from core_lib.renderer import CompiledTree, Reference, Rendered, compile_tree, runtime_references


@dataclass(frozen=True)
class Shape:
    """A finished spec. Run-time texts are still in it; `bindings` and `references` are theirs."""

    spec: dict[str, Any]
    bindings: dict[str, Any]
    references: tuple[Reference, ...]
    template: Template | None = None

    @property
    def stack_name(self) -> str | None:
        """The stack that the action is about, if it is about one."""
        name = self.spec.get("StackName")
        return name if isinstance(name, str) else None


@dataclass
class ShapeMaker:
    """Makes the shapes of one action."""

    source: ActionSource
    sources: Sources
    file_layers: Layers
    action_layers: Layers = NO_LAYERS
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._kind = find_kind(self.source.kind)
        fields = self._kind.Params.model_fields
        self._has_template = "template" in fields
        self._has_tags = "tags" in fields
        self._trees: dict[Hashable, tuple[CompiledTree, dict[str, Layer]]] = {}
        self._shapes: dict[Hashable, Shape] = {}
        self._stacks: dict[Hashable, tuple[Layer, ...]] = {}
        self._own = self._own_layer()
        if self.source.parameters is not None and not self._has_template:
            raise SchemaError(f"{self.source.kind} takes no template parameters", where=self.source.parameters.locate())
        self._template_tree = compile_tree(self.source.spec.get("Template"), lambda _: self.source.locate_spec(("Template",)))

    @classmethod
    def of(
        cls, source: ActionSource, sources: Sources, file_layers: Layers, directory: Directory, tags: Mapping[str, str]
    ) -> ShapeMaker:
        """The maker for an action, with the layers that stand on the action itself."""
        return cls(source, sources, file_layers, read_layers(source.parameters, source.name, directory), tags)

    def _own_layer(self) -> Layer | None:
        values = self.source.spec.get("Parameters")
        if values is None or not self._has_template:
            return None
        where = self.source.written["Parameters"]
        section = Section(values, (*self.source.section.path, *where), self.source.section.document)
        if not isinstance(values, dict):
            raise SchemaError("'Parameters' is a map of names and values", where=section.locate())
        return own_layer(values, self.source.name, section)

    def shape(self, place: Place) -> Shape:
        """The shape for a target.

        Raises:
            RenderError, SchemaError, TemplateError: with file and line.
        """
        template = self._template(place) if self._has_template else None
        layers = self.layers(place) if self._has_template else ()
        tree_key: Hashable = (template.path if template else None, tuple(map(id, layers)))
        found = self._trees.get(tree_key)
        if found is None:
            found = self._trees[tree_key] = self._compile(template, layers)
        tree, origins = found
        key = (tree_key, place.sharing_key(tree.names))
        shape = self._shapes.get(key)
        if shape is None:
            files = self.sources.package.text
            shape = self._shapes[key] = self._finish(tree.render(place.context, files=files), template, origins)
        return shape

    def layers(self, place: Place) -> tuple[Layer, ...]:
        """All parameter layers of a target, weakest first."""
        from_file = self.file_layers.of(place.account, place.region)
        from_action = self.action_layers.of(place.account, place.region) if self.action_layers is not NO_LAYERS else ()
        key = (*map(id, from_file), None, *map(id, from_action))
        if key not in self._stacks:
            self._stacks[key] = stack_up(from_file, self._own, from_action)
        return self._stacks[key]

    def _template(self, place: Place) -> Template:
        path = self._template_tree.render(place.context).value
        with located(lambda: self.source.locate_spec(("Template",))):
            if not isinstance(path, str) or not path:
                raise SchemaError(f"{self.source.kind} needs a 'Template', a path in the package")
            if self._template_tree.references:
                raise CompileError("the template must be known at compile time", hint="use facts, not outputs or vars")
            return self.sources.template(path)

    def _compile(self, template: Template | None, layers: tuple[Layer, ...]) -> tuple[CompiledTree, dict[str, Layer]]:
        raw = dict(self.source.spec)
        origins: dict[str, Layer] = {}
        if template is not None:
            raw["Template"] = template.path
            merged: dict[str, Any] = {}
            for layer in layers:
                for name, value in layer.values.items():
                    if name in template.parameters:
                        merged[name] = value
                        origins[name] = layer
                    elif layer is self._own or layer.name.startswith(f"{self.source.name}: "):
                        raise _undeclared(name, template, layer)
            raw["Parameters"] = dict(sorted(merged.items()))

        def locate(path: Path) -> str:
            if len(path) > 1 and path[0] == "Parameters" and path[1] in origins:
                return origins[str(path[1])].locate(str(path[1]), path[2:])
            return self.source.locate_spec(path)

        return compile_tree(raw, locate), origins

    def _finish(self, rendered: Rendered, template: Template | None, origins: Mapping[str, Layer]) -> Shape:
        spec = dict(rendered.value)
        if template is not None:
            spec["Parameters"] = self._parameter_texts(spec["Parameters"], template, origins)
        if self._has_tags:
            with located(lambda: self.source.locate_spec(("Tags",))):
                spec["Tags"] = self._all_tags(spec.get("Tags") or {})
        if isinstance(spec.get("StackPolicy"), str):
            with located(lambda: self.source.locate_spec(("StackPolicy",))):
                spec["StackPolicy"] = self.sources.policy(spec["StackPolicy"])
        self._refuse_late_names(spec)
        with located(lambda: self.source.locate_spec(())):
            spec = validate_spec(self._kind, spec, allow_runtime=True)
        return Shape(spec, rendered.bindings, rendered.references, template)

    def _all_tags(self, own: Any) -> dict[str, str]:
        if not isinstance(own, dict):
            raise SchemaError("'Tags' is a map of keys and values")
        return check_tags({**self.tags, **own})

    def _refuse_late_names(self, spec: Mapping[str, Any]) -> None:
        name = spec.get("StackName")
        if isinstance(name, str) and runtime_references(name):
            raise CompileError(
                "a stack's name must be known at compile time",
                where=self.source.locate_spec(("StackName",)),
                hint="use facts, not outputs or vars: locks and reviews are by name",
            )

    def _parameter_texts(self, values: Mapping[str, Any], template: Template, origins: Mapping[str, Layer]) -> dict[str, str]:
        texts: dict[str, str] = {}
        for name, value in values.items():
            if value is None:
                continue
            text = parameter_text(value)
            if text is None:
                raise TemplateError(
                    f"parameter {name!r} is neither text, number, boolean nor a list of these", where=origins[name].locate(name)
                )
            texts[name] = text
        faults = list(parameter_faults(template, texts, lambda text: "{{" in text and bool(runtime_references(text))))
        if faults:
            name, fault = faults[0]
            where = origins[name].locate(name) if name in origins else self.source.locate_spec(())
            more = "".join(f"\n  {text}" for _, text in faults[1:])
            raise TemplateError(
                fault + more, where=where, hint=None if name in texts else "set it in Parameters of the file or the action"
            )
        return texts


def _undeclared(name: str, template: Template, layer: Layer) -> TemplateError:
    near = nearest(name, template.parameters)
    known = ", ".join(template.parameters) or "none"
    hint = f"did you mean {near!r}?" if near else f"its parameters: {known}"
    return TemplateError(f"{template.path} declares no parameter {name!r}", where=layer.locate(name), hint=hint)


def paths_of(value: Any, reference: Reference, path: Path = ()) -> Iterator[Path]:
    """Where in a spec a reference is used."""
    if isinstance(value, str):
        if "{" in value and reference in runtime_references(value):
            yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from paths_of(item, reference, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from paths_of(item, reference, (*path, index))
