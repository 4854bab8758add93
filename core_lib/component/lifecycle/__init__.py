"""The life of a build in the CMDB: what it uses of the released build, what it may do next, and how it got on.

`knowledge` reads what a compile needs to know, `rules` refuses what a build's state does not allow, `records` writes down what a
run begins and how it ended.
"""

from core_lib.component.lifecycle.knowledge import known_of
from core_lib.component.lifecycle.records import Outcome, begin, compiled, end
from core_lib.component.lifecycle.rules import refuse_too_early

__all__ = ["Outcome", "begin", "compiled", "end", "known_of", "refuse_too_early"]
