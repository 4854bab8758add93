"""Layer 7, component: short component definitions become CloudFormation templates and plans.

definitions   what the user wrote, rendered and checked against the types          library holds the types, as data
functions     `Fn::Pipeline::*` become CloudFormation values
templates     the types' template trees, rendered for a component; every stage is one stack
security      `Pipeline::Security` becomes security group rules and IAM policies
guard         policy rules and cfn-lint on every template
plans         deploy, release, teardown, plan and apply as graphs of actions
"""

from core_lib.component.building import Built
from core_lib.component.compiler import build_components, compile_components
from core_lib.component.files import is_component_package
from core_lib.component.model import Compiled, Released
from core_lib.component.places import with_store
from core_lib.component.plans import COMPILER

__all__ = [
    "COMPILER",
    "Built",
    "Compiled",
    "Released",
    "build_components",
    "compile_components",
    "is_component_package",
    "with_store",
]
