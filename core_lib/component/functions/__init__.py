"""Functions: `Fn::Pipeline::*` of definitions become CloudFormation values.

`resolve_functions` takes a component and gives it back with every function replaced, and with what it found out on the way: which
files need a copy named after their content. A function is a class in a file of its own, `registry` lists them. What is known at
run time only stands in the trees as a wire (see `core_lib.component.wires`).
"""

from core_lib.component.functions.environment import Environment
from core_lib.component.functions.function import Argument, Function
from core_lib.component.functions.registry import FUNCTIONS, PREFIX
from core_lib.component.functions.resolving import Resolved, resolve_functions

__all__ = ["FUNCTIONS", "PREFIX", "Argument", "Environment", "Function", "Resolved", "resolve_functions"]
