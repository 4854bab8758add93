"""Plans of a build: its stages and steps as actions, wired by name.

`blueprint` is what they are made from, `sequence` the order within a component, `sheet` collects the actions of one plan and
turns wires into run-time texts. `deploy`, `release` and `teardown` are the three ways through the stages; plan and apply are
derived from the deploy. `sealing` makes sealed plans of them, and files of the templates.
"""

from core_lib.component.plans.blueprint import Blueprint
from core_lib.component.plans.placement import targets_of
from core_lib.component.plans.sealing import COMPILER, make_plans, template_bytes
from core_lib.component.plans.sheet import BUILD, name_of

__all__ = ["BUILD", "COMPILER", "Blueprint", "make_plans", "name_of", "targets_of", "template_bytes"]
