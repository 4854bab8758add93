"""Templates of stages: the language of type files, and what every stage gets.

`tree` is the language: YAML with expressions and directives, compiled once. `context` is what a template sees, `stage` renders
the stages of a component, `finishing` makes wires into parameters and puts tags on everything.
"""

from core_lib.component.templates.context import TAG_SCOPE, Surroundings
from core_lib.component.templates.memory import Memory, code_stamp, inputs_hash
from core_lib.component.templates.stage import TASKS, StageMaker, application_type
from core_lib.component.templates.tree import OMIT, Tree

__all__ = [
    "OMIT", "TAG_SCOPE", "TASKS", "Memory", "StageMaker", "Surroundings", "Tree", "application_type", "code_stamp", "inputs_hash",
]  # fmt: skip
