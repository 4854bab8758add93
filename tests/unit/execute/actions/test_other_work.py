"""Work that is done elsewhere: started once, awaited, stopped. Answers in the shapes of botocore's service models."""

from __future__ import annotations

import base64
import io
import json
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core_lib.execute import Again, Done, Failed, validate_spec
from core_lib.execute.actions.invoke_lambda import InvokeLambda
from core_lib.execute.actions.run_code_build import TOKEN_VARIABLE, RunCodeBuild
from core_lib.execute.actions.start_step_function import StartStepFunction
from core_lib.execute.actions.wait_for_alarm import WaitForAlarm
from core_lib.execute.context_files import as_shell, gather
from core_lib.framework.errors import ActionFailedError, SchemaError
from core_lib.framework.models import ActionState, ActionStatus, Cause
from tests.builders.carry import carry_through
from tests.builders.contexts import ACCOUNT, REGION, MemoryOfRun, context_of
from tests.builders.scripted import names, refusal, scripted

MACHINE = "arn:aws:states:eu-west-1:111111111111:stateMachine:migrate-data"


def invoked(text: str, **more: Any) -> dict[str, Any]:
    return {"StatusCode": 200, "Payload": io.BytesIO(text.encode()), **more}


def test_function_when_called_again_then_it_is_given_the_same_token() -> None:
    client = scripted("lambda", invoke=lambda **_: invoked('{"ok": true}', ExecutedVersion="$LATEST"))
    ctx = context_of("AWS::InvokeLambda", {"lambda": client}, FunctionName="f", Qualifier="live")
    first, second = InvokeLambda().start(ctx), InvokeLambda().start(ctx)
    assert first == second == Done(outputs={"Payload": {"ok": True}, "StatusCode": 200, "ExecutedVersion": "$LATEST"})
    assert client.calls[0] == client.calls[1]
    custom = json.loads(base64.b64decode(client.calls[0][1]["ClientContext"]))["custom"]
    assert custom["core-token"].startswith("core-")


def test_function_when_its_answer_is_huge_then_it_is_not_kept_and_that_is_said() -> None:
    client = scripted("lambda", invoke=invoked(json.dumps("x" * 70_000)))
    step = InvokeLambda().start(context_of("AWS::InvokeLambda", {"lambda": client}, FunctionName="f"))
    assert isinstance(step, Done)
    assert (step.outputs["Payload"], step.message) == (None, "the answer is too large to be kept")


def test_function_when_it_fails_then_its_error_is_told_without_secrets() -> None:
    error = json.dumps({"errorType": "ValueError", "errorMessage": "bad password=hunter22"})
    client = scripted("lambda", invoke=invoked(error, FunctionError="Unhandled"))
    step = InvokeLambda().start(context_of("AWS::InvokeLambda", {"lambda": client}, FunctionName="f"))
    assert isinstance(step, Failed)
    assert step.message.startswith("the function failed: ValueError: bad")
    assert "hunter22" not in step.message


def test_function_when_it_gets_an_event_then_lambda_takes_it_over() -> None:
    client = scripted("lambda", invoke={"StatusCode": 202, "Payload": io.BytesIO(b"")})
    step = InvokeLambda().start(context_of("AWS::InvokeLambda", {"lambda": client}, FunctionName="f", InvocationType="Event"))
    assert isinstance(step, Done)
    assert step.outputs == {"Payload": None, "StatusCode": 202, "ExecutedVersion": ""}
    assert "ClientContext" not in client.calls[0][1]


def execution(status: str, **more: Any) -> dict[str, Any]:
    arn = MACHINE.replace("stateMachine", "execution") + ":x"
    return {"executionArn": arn, "stateMachineArn": MACHINE, "startDate": 0, "status": status, **more}


def test_execution_when_a_killed_try_started_it_and_it_has_ended_then_it_is_found_by_its_name() -> None:
    client = scripted(
        "stepfunctions", start_execution=refusal("ExecutionAlreadyExists"), describe_execution=execution("SUCCEEDED")
    )
    ctx = context_of("AWS::StartStepFunction", {"stepfunctions": client}, StateMachineArn=MACHINE)
    step, scratch = carry_through("AWS::StartStepFunction", ctx)
    assert isinstance(step, Done)
    assert scratch["arn"] == f"arn:aws:states:eu-west-1:111111111111:execution:migrate-data:{ctx.token('execution')}"
    assert step.outputs["Output"] is None


@pytest.mark.parametrize(("status", "cause"), [("TIMED_OUT", Cause.TIMEOUT), ("ABORTED", Cause.PERMANENT)])
def test_execution_when_it_ends_badly_then_status_and_cause_are_told(status: str, cause: Cause) -> None:
    client = scripted("stepfunctions", describe_execution=execution(status))
    ctx = context_of("AWS::StartStepFunction", {"stepfunctions": client}, scratch={"arn": "x"}, StateMachineArn=MACHINE)
    step = StartStepFunction().check(ctx)
    assert isinstance(step, Failed)
    assert (step.cause, status in step.message) == (cause, True)


@pytest.mark.cancel("AWS::StartStepFunction", "AWS::RunCodeBuild")
def test_execution_and_build_when_cancelled_then_they_are_stopped_and_looked_at_again() -> None:
    states = scripted("stepfunctions", stop_execution={"stopDate": 0})
    ctx = context_of("AWS::StartStepFunction", {"stepfunctions": states}, scratch={"arn": "x"}, StateMachineArn=MACHINE)
    assert isinstance(StartStepFunction().cancel(ctx), Again)
    builds = scripted("codebuild", stop_build={})
    ctx = context_of("AWS::RunCodeBuild", {"codebuild": builds}, scratch={"build": "p:1"}, ProjectName="smoke")
    assert isinstance(RunCodeBuild().cancel(ctx), Again)
    assert (names(states), names(builds)) == (["stop_execution"], ["stop_build"])


def test_build_when_a_killed_try_started_it_then_no_second_one_is_started() -> None:
    ctx = context_of("AWS::RunCodeBuild", ProjectName="smoke")
    variables = [{"name": TOKEN_VARIABLE, "value": ctx.token("build")}]
    environment = {
        "type": "LINUX_CONTAINER",
        "image": "i",
        "computeType": "BUILD_GENERAL1_SMALL",
        "environmentVariables": variables,
    }
    exported = [{"name": "URL", "value": "https://x"}]
    build = {
        "id": "smoke:1", "environment": environment, "buildStatus": "SUCCEEDED", "logs": {"deepLink": "https://logs"},
        "exportedEnvironmentVariables": exported,
    }  # fmt: skip
    client = scripted("codebuild", list_builds_for_project={"ids": ["smoke:1"]}, batch_get_builds={"builds": [build]})
    step, _ = carry_through("AWS::RunCodeBuild", context_of("AWS::RunCodeBuild", {"codebuild": client}, ProjectName="smoke"))
    assert step == Done(outputs={"BuildId": "smoke:1", "Logs": "https://logs", "Variables": {"URL": "https://x"}})
    assert "start_build" not in names(client)


def test_build_when_it_fails_then_phase_and_log_are_told() -> None:
    build = {
        "id": "smoke:1", "buildStatus": "FAULT", "logs": {"deepLink": "https://logs"},
        "phases": [{"phaseType": "INSTALL", "phaseStatus": "SUCCEEDED"}, {"phaseType": "BUILD", "phaseStatus": "FAULT"}],
    }  # fmt: skip
    client = scripted("codebuild", batch_get_builds={"builds": [build]})
    ctx = context_of("AWS::RunCodeBuild", {"codebuild": client}, scratch={"build": "smoke:1"}, ProjectName="smoke")
    step = RunCodeBuild().check(ctx)
    assert isinstance(step, Failed)
    assert (step.cause, "phase BUILD" in step.message, "https://logs" in (step.hint or "")) == (Cause.TRANSIENT, True, True)


def alarms(**states: str) -> Any:
    listed = [{"AlarmName": name, "StateValue": state, "StateReason": "because"} for name, state in states.items()]
    return scripted("cloudwatch", describe_alarms={"MetricAlarms": listed[:1], "CompositeAlarms": listed[1:]})


def look(client: Any, phase: str = "watching", since: datetime | None = None, **spec: Any) -> Any:
    scratch = {"phase": phase, "since": (since or datetime.now(UTC)).isoformat()}
    given = {"AlarmNames": ["a", "b"], "Watch": "PT10M", **spec}
    return WaitForAlarm().check(context_of("AWS::WaitForAlarm", {"cloudwatch": client}, scratch=scratch, **given))


def test_alarms_when_one_goes_off_while_watched_then_it_fails_at_once_but_not_while_waiting_for_ok() -> None:
    assert isinstance(look(alarms(a="OK", b="ALARM")), Failed)
    settling = look(alarms(a="OK", b="ALARM"), "settling", Until="OK")
    assert isinstance(settling, Again)
    assert settling.scratch is not None
    assert settling.scratch["phase"] == "settling"


def test_alarms_when_their_time_is_over_then_it_is_done_and_never_before() -> None:
    assert isinstance(look(alarms(a="OK", b="OK")), Again)
    ended = look(alarms(a="OK", b="OK"), since=datetime.now(UTC) - timedelta(minutes=11))
    assert ended == Done(outputs={"States": {"a": "OK", "b": "OK"}}, changed=False)


@pytest.mark.parametrize(("policy", "kind"), [("ok", Done), ("wait", Again), ("fail", Failed)])
def test_alarms_when_they_have_no_data_then_the_policy_decides(policy: str, kind: type) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    assert isinstance(look(alarms(a="INSUFFICIENT_DATA", b="OK"), since=long_ago, InsufficientData=policy), kind)


def test_alarms_when_one_is_not_there_then_it_is_named() -> None:
    missing = look(alarms(a="OK"))
    assert isinstance(missing, Failed)
    assert missing.message == "there is no alarm b"
    with pytest.raises(SchemaError, match="Watch, Until or both"):
        validate_spec("AWS::WaitForAlarm", {"AlarmNames": "a"})


def test_shell_when_values_are_hostile_then_sourcing_them_executes_nothing() -> None:
    hostile = "'; echo hacked; $(echo hacked) `echo hacked` \"\n\\"
    text = as_shell({"net": {"Id": hostile, "Zones": ["a", "b"], "1": 2}, f"{ACCOUNT}/{REGION}": {"x-y": {"V": "w"}}})
    said = subprocess.run(
        ["/bin/sh", "-c", f"{text}\nprintf %s \"$NET_ID\""], capture_output=True, text=True, check=True, timeout=10
    )  # fmt: skip
    assert said.stdout == hostile
    assert f"export _{ACCOUNT}_EU_WEST_1_X_Y_V=w\n" in text
    with pytest.raises(ActionFailedError, match="NET_ID"):
        as_shell({"net": {"Id": 1, "id": 2}})


def test_context_when_objects_were_there_then_they_come_back_with_undo_unless_somebody_else_wrote_since() -> None:
    row = ActionState(run_id="run-1", action_id=f"net@{ACCOUNT}/{REGION}", status=ActionStatus.SUCCEEDED, outputs={"Id": "v"})
    run = MemoryOfRun({row.action_id: row})
    spec = {"Bucket": "acme-context", "Formats": ["json"]}
    before = {"Body": io.BytesIO(b"earlier"), "Metadata": {}}
    s3 = scripted("s3", get_object=before, put_object={})
    step, scratch = carry_through("AWS::UploadContext", context_of("AWS::UploadContext", {"s3": s3}, run=run, **spec))
    assert step == Done(outputs={"Keys": ["context.json"], "Bucket": "acme-context"})
    written = s3.calls[-1][1]
    assert (json.loads(written["Body"]), written["ServerSideEncryption"]) == ({"net": {"Id": "v"}}, "AES256")
    for token, calls in ((written["Metadata"]["core-token"], ["get_object", "put_object"]), ("other", ["get_object"])):
        s3 = scripted("s3", get_object={"Body": io.BytesIO(written["Body"]), "Metadata": {"core-token": token}}, put_object={})
        ctx = context_of("AWS::UploadContext", {"s3": s3}, run=run, scratch=scratch, **spec)
        carry_through("AWS::UploadContext", ctx, "undo")
        assert names(s3) == calls


def test_context_when_only_some_actions_are_named_then_only_their_outputs_are_in_it() -> None:
    rows = {
        identity: ActionState(run_id="r-1", action_id=identity, status=ActionStatus.SUCCEEDED, outputs={"Name": identity})
        for identity in (f"net@{ACCOUNT}/{REGION}", f"app@{ACCOUNT}/{REGION}")
    }
    assert gather(rows, by_target=False, only=("net",)) == {"net": {"Name": f"net@{ACCOUNT}/{REGION}"}}
    assert set(gather(rows, by_target=False)) == {"net", "app"}
