"""Binding at run time: conditions and parameters of an action, from the outputs and variables of those before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from core_lib.execute.action import Action
from core_lib.execute.parameters import build_params
from core_lib.framework.errors import RenderError
from core_lib.framework.models import ActionState, ActionStatus, Message, PlanAction
from core_lib.renderer import resolve_condition, resolve_runtime, runtime_references

_VARIABLE = "vars."
_CONSTANTS = {"true": True, "false": False}
_MAY_WAIT = ("Parameters", "Tags")


class NotYetKnownError(RenderError):
    """In a plan, which executes nothing: a value comes from an output that only the apply will make."""


@dataclass(frozen=True)
class Bound:
    """Parameters with every run-time reference resolved; `unresolved` names those that have no value yet."""

    params: Message
    unresolved: tuple[str, ...] = ()


class Rows(Protocol):
    """Ledger rows by action id."""

    def state(self, action_id: str) -> ActionState | None:
        """The row of an action; None = pending."""


class RuntimeValues:
    """What the ledger offers to one action. `planning`: the run is a plan, in which values may be missing for good reason."""

    def __init__(self, action: PlanAction, book: Rows, *, planning: bool = False) -> None:
        self._action = action
        self._planning = planning
        self._condition_unknown = False
        self._outputs: dict[str, Mapping[str, Any]] = {}
        self._variables: dict[str, Any] = {}
        for label, upstream in action.references.items():
            state = book.state(upstream)
            succeeded = state is not None and state.status is ActionStatus.SUCCEEDED
            if label.startswith(_VARIABLE):
                name = label.removeprefix(_VARIABLE)
                if state is not None and succeeded and name in state.variables:
                    self._variables[name] = state.variables[name]
            else:
                self._outputs[label] = state.outputs if state is not None and succeeded else {}

    def resolve(self, value: Any) -> Any:
        """The value with its run-time expressions replaced. Raises RenderError for what has no value."""
        return resolve_runtime(value, outputs=self._outputs, variables=self._variables, bindings=self._action.bindings)

    def condition_holds(self, kind: type[Action[Any]]) -> bool | None:
        """Whether the action's condition is true; no condition is true. None, in a plan, when only the apply can tell and the
        kind has a way to say so.

        Raises:
            NotYetKnownError: in a plan, when the apply will tell and the kind cannot say so.
            RenderError: the condition is neither true nor false.
        """
        text = self._action.condition
        if text is None or text.strip().lower() in _CONSTANTS:
            return text is None or _CONSTANTS[text.strip().lower()]
        try:
            return resolve_condition(text, outputs=self._outputs, variables=self._variables, bindings=self._action.bindings)
        except RenderError as error:
            if not kind.tolerates_unresolved:
                raise self._later(error, text) from error
            if not self._planning:
                raise
            self._condition_unknown = True
            return None

    def bind(self, kind: type[Action[Any]]) -> Bound:
        """The parameters of the action, validated by its kind's model.

        Raises:
            NotYetKnownError: in a plan, when a value comes from an output that only the apply will make.
            RenderError, SchemaError: a value that cannot be had, or does not fit.
        """
        if kind.tolerates_unresolved:
            return self._bind_partly(kind)
        try:
            resolved = self.resolve(self._action.spec)
        except RenderError as error:
            raise self._later(error, self._action.spec) from error
        return Bound(build_params(kind, resolved, where=self._action.id))

    def _later(self, error: RenderError, written: Any) -> RenderError:
        """The error as it is, or in a plan as something that the apply will know."""
        if self._planning and mentions_runtime(written):
            return NotYetKnownError(error.message, where=error.where, hint=error.hint)
        return error

    def _bind_partly(self, kind: type[Action[Any]]) -> Bound:
        """As `bind`, but parameters and tags that have no value yet are left as they are written, and named."""
        spec = dict(self._action.spec)
        partly = {key: spec.pop(key) for key in _MAY_WAIT if isinstance(spec.get(key), Mapping)}
        resolved = dict(self.resolve(spec))
        unresolved = ["its condition"] if self._condition_unknown else []
        for key, written in partly.items():
            values = resolved[key] = {}
            for name, value in written.items():
                try:
                    values[name] = self.resolve(value)
                except RenderError:
                    if not mentions_runtime(value):
                        raise
                    values[name] = value
                    unresolved.append(name)
        return Bound(build_params(kind, resolved, where=self._action.id), tuple(unresolved))


def mentions_runtime(value: Any) -> bool:
    """Whether any string in the value refers to outputs or variables."""
    if isinstance(value, str):
        return "{{" in value and bool(runtime_references(value))
    if isinstance(value, Mapping):
        return any(mentions_runtime(item) for item in value.values())
    return isinstance(value, (list, tuple)) and any(mentions_runtime(item) for item in value)
