"""Which actions a retry takes up, and whose fault it is that others could not run."""

from __future__ import annotations

from core_lib.execute.failures import blamed, fingerprint, selected
from core_lib.framework.models import ActionState, ActionStatus, Cause, ErrorInfo, Plan
from tests.builders.plans import action, plan_of

A, B, C = (f"{number}/eu-west-1" for number in ("111111111111", "222222222222", "333333333333"))
PASSING = ErrorInfo(code="CORE-4000", message="Rate exceeded", cause=Cause.THROTTLED)
LASTING = ErrorInfo(code="CORE-4003", message="the name is taken")


def chain(*targets: str) -> Plan:
    return plan_of(
        each for target in targets for each in (action("net", target=target), action("app", target=target, after=["net"]))
    )


def rows(**ends: ActionStatus | ErrorInfo) -> dict[str, ActionState]:
    """Rows by `<action>_<A|B|C>`: a status, or the error of a failure."""
    places = {"A": A, "B": B, "C": C}
    found = {}
    for key, end in ends.items():
        name, place = key.split("_")
        error = end if isinstance(end, ErrorInfo) else None
        status = ActionStatus.FAILED if isinstance(end, ErrorInfo) else end
        identity = f"{name}@{places[place]}"
        found[identity] = ActionState(run_id="r", action_id=identity, status=status, error=error)
    return found


def names(chosen: frozenset[str] | None) -> set[str]:
    assert chosen is not None
    return {identity.replace(A, "A").replace(B, "B").replace(C, "C") for identity in chosen}


def test_selection_when_transient_then_only_passing_failures_and_what_they_blocked() -> None:
    states = rows(net_A=PASSING, app_A=ActionStatus.BLOCKED, net_B=LASTING, app_B=ActionStatus.BLOCKED)
    assert names(selected(chain(A, B), states, "transient")) == {"net@A", "app@A"}


def test_selection_when_a_fingerprint_then_exactly_that_group() -> None:
    states = rows(net_A=PASSING, app_A=ActionStatus.BLOCKED, net_B=LASTING, app_B=ActionStatus.BLOCKED)
    assert names(selected(chain(A, B), states, fingerprint(LASTING))) == {"net@B", "app@B"}


def test_selection_when_failures_are_left_out_then_targets_that_were_spared_stay_spared() -> None:
    states = rows(net_A=PASSING, net_B=LASTING, net_C=ActionStatus.BLOCKED, app_C=ActionStatus.BLOCKED)
    assert names(selected(chain(A, B, C), states, "transient")) == {"net@A", "app@A"}


def test_selection_when_every_failure_is_meant_then_the_spared_targets_go_on_too() -> None:
    states = rows(net_A=PASSING, net_C=ActionStatus.BLOCKED, app_C=ActionStatus.BLOCKED)
    assert names(selected(chain(A, C), states, "transient")) == {"net@A", "app@A", "net@C", "app@C"}


def test_selection_when_it_goes_by_status_then_no_ids_are_named() -> None:
    assert selected(chain(A), rows(net_A=LASTING), "failed") is None
    assert selected(chain(A), rows(net_A=LASTING), None) is None


def test_blame_when_the_failure_is_in_another_target_then_it_is_found_through_all_that_waited() -> None:
    plan = plan_of([action("hub", target=A), action("net", target=B, after=[f"hub@{A}"]), action("app", target=B, after=["net"])])
    states = rows(hub_A=LASTING, net_B=ActionStatus.BLOCKED, app_B=ActionStatus.BLOCKED)
    assert blamed(plan, states) == {f"net@{B}": {f"hub@{A}"}, f"app@{B}": {f"hub@{A}"}}


def test_blame_when_the_failure_was_to_be_ignored_then_nobody_waits_for_it() -> None:
    plan = plan_of([action("net", on_failure="continue"), action("app", after=["net"])])
    net, app = (each.id for each in plan.actions)
    states = {
        net: ActionState(run_id="r", action_id=net, status=ActionStatus.FAILED, error=LASTING),
        app: ActionState(run_id="r", action_id=app, status=ActionStatus.CANCELLED),
    }
    assert blamed(plan, states) == {app: frozenset()}
