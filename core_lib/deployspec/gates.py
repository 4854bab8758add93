"""Gates: what a wave asks for between itself and the next, as kinds of actions with their specs.

Soak            SYSTEM::Wait
Alarm           AWS::WaitForAlarm, until they are OK; with a Soak it watches them for that time, which is the waiting then
Script          AWS::InvokeLambda (FunctionName) or AWS::RunCodeBuild (ProjectName): packages are not trusted with a shell here
Http            SYSTEM::HttpRequest
Approval        SYSTEM::Approval
Kind            any kind
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from core_lib.deployspec.directory import Directory
from core_lib.deployspec.places import located
from core_lib.deployspec.regions import check_regions
from core_lib.deployspec.wave_source import WaveSource
from core_lib.execute import canonical_kind, validate_spec
from core_lib.framework.errors import SchemaError, TargetError
from core_lib.framework.models import ApprovalGate, Gate

WAIT = "SYSTEM::Wait"
WAIT_FOR_ALARM = "AWS::WaitForAlarm"
INVOKE_LAMBDA = "AWS::InvokeLambda"
RUN_CODE_BUILD = "AWS::RunCodeBuild"
HTTP_REQUEST = "SYSTEM::HttpRequest"
APPROVAL = "SYSTEM::Approval"
_DURATION = TypeAdapter(timedelta)


@dataclass(frozen=True)
class Step:
    """One action after a wave. `label` is its part of the name, `words` tell people; `together`: beside the one before it."""

    label: str
    kind: str
    spec: dict[str, Any]
    target: str
    words: str
    together: bool = False


def steps_of(source: WaveSource, home: str, directory: Directory, facts: Mapping[str, Any]) -> list[Step]:
    """The soak and the gates of a wave in their order; `home` is the target they run in unless they name another.

    Raises:
        UnknownKindError, SchemaError, TargetError: with the file and line of the gate.
    """
    steps = list(_soaking(source, home, directory))
    watching = {id(gate) for gate in _watching(source)}
    for index, gate in enumerate(source.wave.gates):
        if id(gate) not in watching:
            with located(lambda index=index: source.where_of("Gates", index)):  # type: ignore[misc]
                steps.append(_checked(_step(gate, index, _place(gate, home, directory), facts)))
    return steps


def _watching(source: WaveSource) -> Sequence[Gate]:
    """The gates that make the soak a time of watching."""
    return [gate for gate in source.wave.gates if gate.alarm is not None] if source.wave.soak else []


def _soaking(source: WaveSource, home: str, directory: Directory) -> Iterator[Step]:
    soak = source.wave.soak
    if soak is None:
        return
    gates = _watching(source)
    if not gates:
        with located(lambda: source.where_of("Soak")):
            yield _checked(Step("soak", WAIT, {"For": iso(soak)}, home, f"wait {in_words(soak)}"))
    for number, gate in enumerate(gates):
        index = source.wave.gates.index(gate)
        with located(lambda index=index: source.where_of("Gates", index)):  # type: ignore[misc]
            spec = {"AlarmNames": list(gate.alarm or ()), "Watch": iso(soak)}
            words = f"watch {', '.join(gate.alarm or ())} for {in_words(soak)}"
            label = f"alarm-{index + 1}"
            yield _checked(Step(label, WAIT_FOR_ALARM, spec, _place(gate, home, directory), words, together=number > 0))


def _step(gate: Gate, index: int, target: str, facts: Mapping[str, Any]) -> Step:
    number = index + 1
    if gate.alarm is not None:
        spec: dict[str, Any] = {"AlarmNames": list(gate.alarm), "Until": "OK"}
        return Step(f"alarm-{number}", WAIT_FOR_ALARM, spec, target, f"until {', '.join(gate.alarm)} are OK")
    if gate.script is not None:
        kind = RUN_CODE_BUILD if "ProjectName" in gate.script else INVOKE_LAMBDA
        name = gate.script.get("ProjectName") or gate.script.get("FunctionName")
        return Step(f"script-{number}", kind, gate.script, target, f"script {name}")
    if gate.http is not None:
        return Step(f"http-{number}", HTTP_REQUEST, gate.http, target, f"{gate.http.get('Method', 'GET')} {gate.http.get('Url')}")
    if gate.approval is not None:
        return _approval(gate.approval, number, target, facts)
    kind = canonical_kind(str(gate.kind))
    return Step(f"check-{number}", kind, gate.spec, target, kind)


def _approval(gate: ApprovalGate, number: int, target: str, facts: Mapping[str, Any]) -> Step:
    approvers = list(gate.approvers) or approvers_in(facts)
    if not approvers:
        raise SchemaError(
            "nobody can approve: the gate names no Approvers, and neither do the portfolio's facts",
            hint="add Approvers to the gate, or to the portfolio: core registry",
        )
    if gate.quorum is not None and gate.quorum > len(approvers):
        raise SchemaError(f"a quorum of {gate.quorum} out of {len(approvers)} approvers ({', '.join(approvers)})")
    spec: dict[str, Any] = {"Approvers": approvers}
    if gate.quorum is not None:
        spec["Quorum"] = gate.quorum
    if gate.self_approval:
        spec["SelfApproval"] = True
    if gate.message is not None:
        spec["Message"] = gate.message
    if gate.timeout is not None:
        spec["Timeout"] = iso(gate.timeout)
    many = f"{gate.quorum} of " if gate.quorum and gate.quorum > 1 else ""
    return Step(f"approval-{number}", APPROVAL, spec, target, f"approval by {many}{', '.join(approvers)}")


def approvers_in(facts: Mapping[str, Any]) -> list[str]:
    """Names of the portfolio's approvers in their sequence, without those that are not enabled.

    Raises:
        SchemaError: the fact is no list of people.
    """
    people = facts.get("Approvers") or []
    if not isinstance(people, list) or not all(isinstance(person, (str, dict)) for person in people):
        raise SchemaError("the fact Approvers is no list of people", where="facts", hint="Approvers: [{Name: ann, Email: ...}]")
    known = [{"Name": person} if isinstance(person, str) else person for person in people]
    ordered = sorted((person for person in known if person.get("Enabled", True)), key=lambda one: float(one.get("Sequence") or 0))
    return [str(name) for person in ordered if (name := person.get("Name") or person.get("Email"))]


def _place(gate: Gate, home: str, directory: Directory) -> str:
    account, _, region = home.partition("/")
    if gate.region is not None:
        check_regions((gate.region,), directory.regions)
        region = gate.region
    if gate.account is not None:
        found = directory.account_ids(gate.account)
        if len(found) != 1:
            raise TargetError(f"a gate runs in one account, and {gate.account!r} are {len(found)}")
        (account,) = found
    return f"{account}/{region}"


def _checked(step: Step) -> Step:
    return Step(step.label, step.kind, validate_spec(step.kind, step.spec), step.target, step.words, step.together)


def iso(time: timedelta) -> str:
    """A duration as ISO 8601."""
    return str(_DURATION.dump_python(time, mode="json"))


def in_words(time: timedelta) -> str:
    """`30 min`, `2 h`, `1 h 30 min`, `45 s`."""
    minutes, seconds = divmod(round(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
