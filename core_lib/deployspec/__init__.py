"""Layer 6, deployspec: a few actions become one plan over accounts and regions.

A compile is pure. It reads the spec files of a package, finds the targets of every action, stacks up its parameters' layers,
renders and checks its spec once for all targets that cannot differ, and wires the instances: names in DependsOn and references
to outputs become ids. Out come sealed plans (deploy, and the derived plan, apply and teardown) and the files they need, by
content. `why` tells which layer and line a value came from, `resolve_targets` why an account is in or out.
"""

from core_lib.deployspec.compilation import Compilation
from core_lib.deployspec.compiler import COMPILER, compile_deployspec
from core_lib.deployspec.contexts import home_account
from core_lib.deployspec.derive import apply_actions, change_set_names, review_actions
from core_lib.deployspec.directory import Directory
from core_lib.deployspec.expand import SkippedAction
from core_lib.deployspec.freezes import freeze_windows
from core_lib.deployspec.garbage import without_collection
from core_lib.deployspec.lint import Finding, Linter
from core_lib.deployspec.places import CompileWarning
from core_lib.deployspec.spec_file import SPEC_NAMES, read_spec_files
from core_lib.deployspec.survey import targets_of
from core_lib.deployspec.tags import check_tags
from core_lib.deployspec.targets import TargetExplanation, Targets, refine, resolve_targets, target_of
from core_lib.deployspec.why import Origin, why

__all__ = [
    "COMPILER", "SPEC_NAMES", "Compilation", "CompileWarning", "Directory", "Finding", "Linter", "Origin", "SkippedAction",
    "TargetExplanation", "Targets", "apply_actions", "change_set_names", "check_tags", "compile_deployspec", "freeze_windows",
    "home_account", "read_spec_files", "refine", "resolve_targets", "review_actions", "target_of", "targets_of", "why",
    "without_collection",
]  # fmt: skip
