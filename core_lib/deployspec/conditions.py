"""Conditions at compile time: yes, no, or a question for the run."""

from __future__ import annotations

from collections.abc import Hashable

from core_lib.deployspec.contexts import Place
from core_lib.deployspec.spec_file import ActionSource
from core_lib.renderer import Deferred, compile_tree, render_condition


class Condition:
    """The condition of an action; asked once for targets that cannot differ."""

    def __init__(self, action: ActionSource) -> None:
        self._action = action
        text = action.frame.condition
        self._names: frozenset[str] | None = frozenset()
        if text is not None:
            wrapped = text if "{{" in text or "{%" in text else f"{{{{ {text} }}}}"
            self._names = compile_tree(wrapped, lambda _: self._where()).names
        self._answers: dict[Hashable, bool | Deferred] = {}

    def _where(self) -> str:
        return self._action.locate("Condition")

    def answer(self, place: Place) -> bool | Deferred:
        """Whether the action is in the plan for this target, or the question that the run has to answer.

        Raises:
            RenderError: with file and line.
        """
        text = self._action.frame.condition
        if text is None:
            return True
        key = place.sharing_key(self._names)
        if key not in self._answers:
            self._answers[key] = render_condition(text, place.context, locate=lambda _: self._where())
        return self._answers[key]
