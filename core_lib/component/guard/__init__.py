"""Guard rails: policy rules as data, required tags, CloudFormation's limits, and cfn-lint, on every template.

rule, conditions, paths   a rule file and its small language, compiled once         values knows CloudFormation's functions
rulebook                  the platform's rules, the organization's, the package's    rules/ holds the platform's
guard                     the rules on the templates: findings                       texts has the rules about words
waivers                   findings that are accepted, with the reason
tag_policy, limits        what else can block
linting                   cfn-lint on the same templates
"""

from core_lib.component.guard.finding import SEVERITIES, Finding, Severity, ordered
from core_lib.component.guard.guard import Owner, guard
from core_lib.component.guard.linting import lint_templates
from core_lib.component.guard.rule import Rule, RuleChange, RuleFile
from core_lib.component.guard.rulebook import Rulebook, builtin_rules, rulebook
from core_lib.component.guard.tag_policy import TagRule, tag_findings, tag_policy

__all__ = [
    "SEVERITIES", "Finding", "Owner", "Rule", "RuleChange", "RuleFile", "Rulebook", "Severity", "TagRule", "builtin_rules",
    "guard", "lint_templates", "ordered", "rulebook", "tag_findings", "tag_policy",
]  # fmt: skip
