"""The stages of a component: its type's trees rendered with its definitions, and finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core_lib.component.filters import FILTERS
from core_lib.component.library import ComponentType, Role, StepRule
from core_lib.component.library.types import SecurityRule
from core_lib.component.model import Component, StageTemplate, Step
from core_lib.component.naming import Names
from core_lib.component.templates.context import Surroundings, component_context
from core_lib.component.templates.finishing import Finisher, standard_wires
from core_lib.component.templates.loading import forest_of
from core_lib.component.templates.memory import Pages
from core_lib.component.templates.tree import OMIT
from core_lib.framework.codecs import sha256_hex, to_json
from core_lib.framework.errors import CoreError, PackageError, TemplateError
from core_lib.renderer import add_filters, full_context, session

TASKS = ("deploy", "release", "teardown")
_KEYED = ("name", "after", "before", "spec")
add_filters(FILTERS)


class StageMaker:
    """Renders whatever a component's type says, with one context."""

    def __init__(
        self,
        component: Component,
        names: Names,
        around: Surroundings,
        read_file: Callable[[str], str] | None = None,
        pages: Pages | None = None,
    ) -> None:
        self.component = component
        self.names = names
        self._around = around
        self._forest = forest_of(component.type)
        self._context = full_context(component_context(component, names, around))
        self._standard = standard_wires(component.name, component.type)
        self._read_file = read_file
        self._pages = pages or Pages()

    def body(self, stage: str, more: Mapping[str, Any] | None = None) -> Mapping[str, Any] | None:
        """The tree that the type gives for a stage, rendered; None when it gives none. `more` are names beside the usual ones.

        Raises:
            CoreError: with the file and line of the type, and the component.
        """
        file = self.component.type.file.stages.get(stage) or _SHARED_STAGES.get(stage)
        if file is None:
            return None
        made: Mapping[str, Any] | None = self._pages.tree(
            f"{file} {to_json(more)}" if more else file,
            lambda: self._render(lambda: self._forest.tree(file).render({**self._context, **(more or {})}), file),
        )
        return made

    def finished(self, stage: str, body: Mapping[str, Any] | None, tags: Mapping[str, str]) -> StageTemplate | None:
        """A body as a finished template; None when there is nothing in it."""
        if not body:
            return None
        finisher = Finisher(self.component.name, stage, self.names.stacks[stage], self._standard)
        description = f"{self.component.type.file.purpose} {self.names.prn}, {stage}"
        return finisher.finish(body, description=description, tags=tags)

    def data(self, value: Any, name: str) -> Any:
        """A tree of `type.yaml`, rendered."""
        return self._pages.tree(name, lambda: self._render(lambda: self._forest.data(value, name).render(self._context), name))

    def security(self) -> SecurityRule:
        """The security of the type, with the statements and further properties of its roles rendered."""
        rule = self.component.type.file.security
        made = {name: self._role(role, name) for name, role in rule.roles.items() if role.statements or role.properties}
        return rule.but(roles={**rule.roles, **made}) if made else rule

    def _role(self, role: Role, name: str) -> Role:
        return role.but(
            statements=self.data(list(role.statements), f"security.{name}.statements") or (),
            properties=self.data(role.properties, f"security.{name}.properties") or {},
        )

    def holds(self, expression: str, name: str) -> bool:
        """Whether an expression of `type.yaml` is true for the component."""
        text = expression if "{{" in expression else "{{ " + expression + " }}"
        return bool(self.data(text, name))

    def steps(self, task: str) -> tuple[Step, ...]:
        """The further actions of a task."""
        rules: tuple[StepRule, ...] = getattr(self.component.type.file.steps, task)
        made = []
        for number, rule in enumerate(rules):
            place = f"steps.{task}.{number}"
            if rule.if_ is None or self.holds(rule.if_, f"{place}.if"):
                made += [self._step(each, f"{place}.{key}") for key, each in self._repeated(rule)]
        return tuple(made)

    def _repeated(self, rule: StepRule) -> Iterator[tuple[str, StepRule]]:
        """The rule as it is, or once for every key that it is for."""
        if rule.each is None:
            yield "", rule
            return
        for key in self._context["found"].get(rule.each, ()):
            yield key, rule.model_copy(update=_of_key(key, {name: getattr(rule, name) for name in _KEYED}))

    def _step(self, rule: StepRule, place: str) -> Step:
        return Step(rule.name, rule.kind, self._late(rule.spec, place), rule.after, rule.before)

    def _late(self, spec: Any, place: str) -> Any:
        """A spec, rendered but for the texts that name outputs of stages."""
        if isinstance(spec, Mapping):
            return {key: made for key, item in spec.items() if (made := self._late(item, f"{place}.{key}")) is not OMIT}
        if isinstance(spec, (list, tuple)):
            return [made for index, item in enumerate(spec) if (made := self._late(item, f"{place}.{index}")) is not OMIT]
        if isinstance(spec, str) and "outputs." in spec:
            return spec
        return self.data(spec, place) if isinstance(spec, str) else spec

    def _render(self, render: Callable[[], Any], name: str) -> Any:
        try:
            with session(self._read, None):
                made = render()
        except CoreError as error:
            hint = error.hint or "see the page of the type: core component show " + self.component.type.name
            raise type(error)(
                f"component {self.component.name!r}: {error.message}", where=self.component.locate(()), hint=_at(error, hint)
            ) from error
        except KeyError as error:
            raise TemplateError(f"there is no file {error}", where=f"{self.component.type.source}/{name}") from error
        return None if made is OMIT else made

    def _read(self, name: str) -> str:
        """A file for the filter `read_file`: of the type's folder, of the shared parts, else of the package."""
        try:
            return self._forest.text(name)
        except KeyError:
            if self._read_file is None:
                raise PackageError(f"there is no file {name!r}") from None
            return self._pages.read(name, self._read_file(name))


def _of_key(key: str, value: Any) -> Any:
    """A value with `${Key}` replaced in all of its texts."""
    if isinstance(value, Mapping):
        return {name: _of_key(key, item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_of_key(key, item) for item in value]
    return value.replace("${Key}", key) if isinstance(value, str) else value


def _at(error: CoreError, hint: str) -> str:
    return f"{error.where}: {hint}" if error.where else hint


_SHARED_STAGES: Mapping[str, str] = {"pointers": "pointers.yaml", "release": "release.yaml"}


def application_type(shared: Mapping[str, bytes]) -> ComponentType:
    """The type of what belongs to the whole app: its only stage is `kms`."""
    from core_lib.component.library.types import TypeFile

    file = TypeFile(
        type="Core::Application", group="security", purpose="What belongs to the whole app.", stages={"kms": "kms.yaml"}
    )
    return ComponentType(file, {}, shared, sha256_hex(shared.get("kms.yaml", b"")), "types/_shared")
