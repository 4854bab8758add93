"""The fleet: what is done to everything that is deployed, instead of to one deployment.

`drift` looks for drift in every stack that the platform has deployed, remembers what it found, and deals with a group of drift:
revert it, accept it into the templates as a patch, ignore it for a while. `medic` finds stacks that are stuck, and proposes
repairs. Both make plans of ordinary actions, which are run as operations (see `core_lib.runner`); nothing here changes an account
by itself.
"""

from core_lib.fleet.drift import (
    drift_plan,
    drifted_in,
    ignore_drift,
    ignored_groups,
    remember_drift,
    revert_plan,
)
from core_lib.fleet.medic import Diagnosis, Repair, Ward, diagnose, medic_plan
from core_lib.fleet.patch import Patch, accept_patch
from core_lib.fleet.stuck import Round, StuckStack, make_round
from core_lib.fleet.targets import Fleet, deployed_stacks, fleet_targets

__all__ = [
    "Diagnosis",
    "Fleet",
    "Patch",
    "Repair",
    "Round",
    "StuckStack",
    "Ward",
    "accept_patch",
    "deployed_stacks",
    "diagnose",
    "drift_plan",
    "drifted_in",
    "fleet_targets",
    "ignore_drift",
    "ignored_groups",
    "make_round",
    "medic_plan",
    "remember_drift",
    "revert_plan",
]
