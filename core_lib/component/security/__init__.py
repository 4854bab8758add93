"""Security: what components are allowed to, as bodies of the stages security, rules-base and rules.

    security     a component's security groups, roles and instance profile
    rules-base   ports of its groups, and what others' roles may do to it as far as that needs no output
    rules        what others' roles may do with what its stage resources has made

The first two are shared by the builds of a branch: EC2 refuses a second rule of the same content in a group.

`sources` reads who a rule is for, `ingress` opens ports, `policies` writes statements, `packing` keeps them within IAM's sizes,
`identities` makes the groups and roles. `Opened` tells every single rule to people.
"""

from core_lib.component.security.opened import Opened
from core_lib.component.security.stages import Secured, security_stages

__all__ = ["Opened", "Secured", "security_stages"]
