"""The looks at one target: everything that can be known about the changes that are to be made in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from core_lib.execute.parts import Parts
from core_lib.execute.preflight import references, stacks
from core_lib.execute.preflight.findings import Finding
from core_lib.execute.preflight.needs import Needs, needs_of
from core_lib.execute.preflight.survey import Change
from core_lib.execute.preflight.templates import TemplateChecks
from core_lib.execute.stacks.view import StackView
from core_lib.framework.errors import AwsError
from core_lib.framework.models import PlanAction


class Looks:
    """All looks of one pre-flight. Safe for threads."""

    def __init__(self, parts: Parts, todo: Iterable[PlanAction], changes: Mapping[str, Sequence[Change]]) -> None:
        self._parts = parts
        self._changes = changes
        self._templates = TemplateChecks()
        self._ssm: dict[str, set[str]] = {}
        for action in todo:
            if action.kind.endswith("::PutParameter") and isinstance(action.spec.get("Name"), str):
                self._ssm.setdefault(action.target, set()).add(action.spec["Name"])

    def look(self, key: str, view: StackView) -> list[Finding]:
        """What was found in a target. Nothing is asked about a target in which nothing changes."""
        changes = self._changes[key]
        if not changes:
            return []
        brought = {change.action.id: self._needs(change) for change in changes if not change.deletes}
        sure = [(change, brought[change.action.id]) for change in changes if change.context is not None]
        client = partial(self._parts.sessions.client, target=self._parts.plan.target_by_key[key])
        found = list(stacks.states(changes))
        found += self._told(stacks.quota(client("cloudformation"), view.count(), changes))
        found += references.exports(sure, view.exports(), list(brought.values()))
        if any(needs.ssm for _, needs in sure):
            made = frozenset(self._ssm.get(key, ()))
            found += self._told(references.ssm_parameters(client("ssm"), sure, made, list(brought.values())))
        roles_come = any(needs.makes_roles for needs in brought.values())
        for change, _ in sure:
            if change.context is not None and change.want is not None:
                found += self._told(self._templates.check(change))
                found += self._told(references.keys(change, change.context, change.want.parameters.values()))
                if not roles_come:
                    found += self._told(references.service_role(change, change.context))
        return found

    def _needs(self, change: Change) -> Needs:
        path = change.context.params.template if change.context else change.action.spec.get("Template")
        if not isinstance(path, str) or path not in self._parts.plan.file_by_path:
            return Needs(open_exports=True, open_ssm=True)
        target = self._parts.plan.target_by_key[change.action.target]
        place = {"AWS::Region": target.region, "AWS::AccountId": target.account, "AWS::StackName": change.stack}
        return needs_of(self._parts.files.read(path), change.want.parameters if change.want else {}, place)

    def _told(self, findings: Iterator[Finding]) -> list[Finding]:
        """The findings up to where AWS does not tell (no permission to look, a service in trouble): that is no finding."""
        found: list[Finding] = []
        try:
            for finding in findings:
                found.append(finding)  # noqa: PERF402 - what came before an error counts
        except (ClientError, BotoCoreError, AwsError) as error:
            self._parts.log.info("pre-flight could not look: %s", error)
        return found
