"""Definitions: what the user wrote, rendered and checked, as components.

`sources` reads a file: YAML whose texts hold expressions, or a text template that becomes YAML. `variables` merges the sections
of the vars that fit the branch. `components` and `entries` turn what was read into the model and hold it against the component's
type; `options` does so with the JSON Schema that a type brings, `properties` with CloudFormation's own schemas. `order` looks at
DependsOn. What is wrong is gathered, so that one error tells all of it.
"""

from core_lib.component.definitions.faults import Faults
from core_lib.component.definitions.keys import Keys, kind_of, shown
from core_lib.component.definitions.reader import read_definitions, reading, with_own_types
from core_lib.component.definitions.shapes import LIST, MAP, SCALAR, Shape, shape_of

__all__ = [
    "LIST", "MAP", "SCALAR", "Faults", "Keys", "Shape", "kind_of", "read_definitions", "reading", "shape_of", "shown",
    "with_own_types",
]  # fmt: skip
