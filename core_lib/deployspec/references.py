"""References: which instance an `outputs.<action>.<Name>` or `vars.<Name>` means for a given target.

{{ outputs.hub.TopicArn }}                        the instance in the same target; else the only one there is; else the only
                                                  one in the same region or in the same account; else an error
{{ outputs['hub@network/eu-west-1'].TopicArn }}   exactly that one; the account by id or name
{{ vars.Colour }}                                 set by a SetVariables action of the same target
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core_lib.deployspec.directory import EVERYONE, Directory
from core_lib.deployspec.instances import Instances
from core_lib.execute import find_kind
from core_lib.framework.codecs import nearest
from core_lib.framework.errors import ReferenceFault
from core_lib.framework.models import action_id

SET_VARIABLES = "SYSTEM::SetVariables"
_SHOWN = 5


class References:
    """Finds the upstream instance of a label. Raises ReferenceFault with the candidates when there is no single one."""

    def __init__(self, instances: Mapping[str, Instances], directory: Directory) -> None:
        self._instances = instances
        self._directory = directory
        self._setters: dict[str, list[str]] = {}
        for name, found in instances.items():
            if found.source.kind == SET_VARIABLES:
                variables = found.source.spec.get("Variables")
                for variable in variables if isinstance(variables, dict) else ():
                    self._setters.setdefault(str(variable), []).append(name)

    def action_of(self, label: str) -> Instances:
        """The action that a label names, whatever its instance.

        Raises:
            ReferenceFault: there is no such action, or its kind never has outputs.
        """
        name = label.partition("@")[0]
        if name not in self._instances:
            near = nearest(name, self._instances)
            hint = f"did you mean {near!r}?" if near else f"actions of this file: {_listed(self._instances)}"
            raise ReferenceFault(f"outputs of {name!r} are used, and there is no such action", hint=hint)
        kind = self._instances[name].source.kind
        if find_kind(kind).outputs == {}:
            advice = "what it sets is read as {{ vars.Name }}" if kind == SET_VARIABLES else None
            raise ReferenceFault(f"outputs of {name!r} are used, and {kind} has none", hint=advice)
        return self._instances[name]

    def output(self, label: str, target: str) -> tuple[Instances, str]:
        """The action and the target of the instance that `label` means when used in `target`."""
        instances = self.action_of(label)
        _, explicit, place = label.partition("@")
        if explicit:
            return instances, self._explicit(instances, label, place)
        if target in instances.existing or target in instances.dropped:
            return instances, target
        return instances, self._elsewhere(instances, label, target)

    def _explicit(self, instances: Instances, label: str, place: str) -> str:
        account, slash, region = place.rpartition("/")
        if not slash:
            raise ReferenceFault(
                f"{label!r} does not name an instance", hint="write name@account/region, the account by id or name"
            )
        if account == EVERYONE:
            raise ReferenceFault(f"{label!r} names every account", hint="write name@account/region, with one account")
        target = f"{next(iter(self._directory.account_ids(account)))}/{region}"
        if target not in instances.existing and target not in instances.dropped:
            raise ReferenceFault(
                f"{instances.source.name!r} has no instance in {place}", hint=f"it has: {_listed(instances.existing) or 'none'}"
            )
        return target

    def _elsewhere(self, instances: Instances, label: str, target: str) -> str:
        if len(instances.existing) == 1:
            return next(iter(instances.existing))
        account, _, region = target.partition("/")
        same_region = instances.by_region.get(region, ())
        same_account = instances.by_account.get(account, ())
        single = {places[0] for places in (same_region, same_account) if len(places) == 1}
        if len(single) == 1:
            return single.pop()
        if not instances.existing:
            raise ReferenceFault(f"outputs of {label!r} are used in {target}, and it has no instance at all")
        candidates = single or instances.existing
        raise ReferenceFault(
            f"outputs of {label!r} are used in {target}: which of its {len(instances.existing)} instances is meant?",
            hint=f"write outputs['{label}@account/region'], one of: {_listed(candidates)}",
        )

    def variable(self, name: str, target: str) -> str:
        """Id of the action that sets a variable in this target."""
        setters = self._setters.get(name, [])
        found = [setter for setter in setters if target in self._instances[setter].planned]
        if len(found) == 1:
            return action_id(found[0], target)
        if found:
            raise ReferenceFault(f"the variable {name!r} is set by {_listed(found)} in {target}", hint="keep one of them")
        if setters:
            raise ReferenceFault(
                f"the variable {name!r} is not set in {target}", hint=f"it is set by {_listed(setters)} elsewhere"
            )
        near = nearest(name, self._setters)
        hint = f"did you mean {near!r}?" if near else "a SetVariables action of the same target sets variables"
        raise ReferenceFault(f"no action sets the variable {name!r}", hint=hint)


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")
