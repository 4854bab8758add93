"""What a component will be, in words that a reviewer can sign: made, encrypted, opened, allowed, named, kept.

words        values of templates as a person would say them            encryption   which key protects what
network      who may reach what on which port                          access       who may do what
explanation  all of it for one component, as data                      sentences    as text; graph as Mermaid
"""

from core_lib.component.explain.explanation import Explanation, explain
from core_lib.component.explain.graph import component_graph, package_graph
from core_lib.component.explain.sentences import sentences

__all__ = ["Explanation", "component_graph", "explain", "package_graph", "sentences"]
