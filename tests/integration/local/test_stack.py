"""The stack that stays: it heals, it ends cleanly, it keeps its state, and nothing stale stands in its way."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from core_lib.framework.errors import NotRunningError, PlatformError, PortTakenError
from deployments.local import Ports, StackStatus, UpOptions, down, environment, status, up
from deployments.local.processes import members_of, process_id
from deployments.local.state import StateFolder

ANY_PORT = Ports(gateway=0, prefect=0)


def options(folder: Path, **more: Any) -> UpOptions:
    """Emulators and gateway only, on free ports."""
    return UpOptions(**{"state_dir": folder, "ports": ANY_PORT, "prefect": False, **more})


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A state folder whose stack is ended after the test, whatever happened."""
    path = tmp_path / "state"
    yield path
    down(path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A stack that several tests disturb in turn; each waits until it has healed."""
    path = tmp_path_factory.mktemp("shared") / "state"
    up(options(path))
    yield path
    down(path)


def until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def client(folder: Path, service: str, account: str | None = None) -> Any:
    settings = environment(folder)
    return boto3.client(
        service,
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        region_name=settings["AWS_DEFAULT_REGION"],
        aws_access_key_id=account or settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"mode": "standard", "total_max_attempts": 8}),
    )


def pid_of(state: StackStatus, name: str) -> int | None:
    return next(member.pid for member in state.members if member.name == name)


def write_everywhere(folder: Path) -> str:
    """One trace in Organizations, S3, DynamoDB and SSM; the id of the created account."""
    organizations = client(folder, "organizations")
    organizations.create_organization(FeatureSet="ALL")
    account = organizations.create_account(Email="one@example.com", AccountName="one")["CreateAccountStatus"]["Id"]
    s3 = client(folder, "s3")
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="kept", Key="a", Body=b"content")
    table = client(folder, "dynamodb")
    table.create_table(
        TableName="kept",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table.put_item(TableName="kept", Item={"id": {"S": "1"}})
    client(folder, "ssm", "300000000001").put_parameter(Name="/kept", Value="1", Type="String")
    return str(account)


def read_everywhere(folder: Path) -> tuple[list[str], bytes, dict[str, Any], str]:
    emails = [account["Email"] for account in client(folder, "organizations").list_accounts()["Accounts"]]
    content: bytes = client(folder, "s3").get_object(Bucket="kept", Key="a")["Body"].read()
    item: dict[str, Any] = client(folder, "dynamodb").get_item(TableName="kept", Key={"id": {"S": "1"}})["Item"]
    parameter: str = client(folder, "ssm", "300000000001").get_parameter(Name="/kept")["Parameter"]["Value"]
    return emails, content, item, parameter


KEPT = (["master@example.com", "one@example.com"], b"content", {"id": {"S": "1"}}, "1")


def test_up_when_nothing_runs_then_every_member_is_healthy_and_the_environment_leads_there(shared: Path) -> None:
    state = status(shared)
    assert state.healthy
    assert [member.name for member in state.members] == ["ministack", "moto", "gateway"]
    assert environment(shared)["AWS_ENDPOINT_URL"] == state.endpoint
    assert client(shared, "sts").get_caller_identity()["Account"] == environment(shared)["AWS_ACCESS_KEY_ID"]


def test_up_when_the_stack_is_up_then_it_is_left_as_it_is(shared: Path) -> None:
    before = status(shared)
    assert up(options(shared)).supervisor == before.supervisor


def test_up_when_a_stack_of_another_mode_is_up_then_it_is_refused(shared: Path) -> None:
    with pytest.raises(PlatformError, match="embedded"):
        up(options(shared, mode="aws"))


@pytest.mark.parametrize("name", ["ministack", "moto", "gateway"])
def test_member_when_killed_then_it_is_started_again_and_callers_only_wait(shared: Path, name: str) -> None:
    before = pid_of(status(shared), name)
    assert before is not None
    os.kill(before, signal.SIGKILL)
    if name == "moto":
        client(shared, "ram").get_resource_shares(resourceOwner="SELF")
    else:
        client(shared, "ssm").describe_parameters()
    assert until(lambda: status(shared).healthy)
    assert pid_of(status(shared), name) not in (None, before)


def test_session_when_gateway_and_ministack_were_killed_then_it_still_acts_in_its_own_account(shared: Path) -> None:
    iam = client(shared, "iam", "300000000002")
    trust = '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}'
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=trust)
    role = "arn:aws:iam::300000000002:role/deployer"
    keys = client(shared, "sts").assume_role(RoleArn=role, RoleSessionName="run-1")["Credentials"]
    for name in ("gateway", "ministack"):
        pid = pid_of(status(shared), name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: status(shared).healthy)
    session = boto3.client(
        "sts",
        endpoint_url=environment(shared)["AWS_ENDPOINT_URL"],
        region_name="eu-west-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert session.get_caller_identity()["Account"] == "300000000002"


def test_stack_when_stopped_and_started_then_its_state_is_kept(folder: Path) -> None:
    up(options(folder))
    write_everywhere(folder)
    down(folder)
    up(options(folder))
    assert read_everywhere(folder) == KEPT


def test_stack_when_everything_is_killed_then_a_snapshot_a_few_seconds_old_is_kept(folder: Path) -> None:
    up(options(folder))
    write_everywhere(folder)
    saved = folder / "aws" / "ministack" / "services" / "dynamodb.json"
    assert until(lambda: saved.exists() and '"kept"' in saved.read_text())
    time.sleep(2.5)
    killed = status(folder)
    assert killed.supervisor is not None
    for pid in [killed.supervisor, *(member.pid for member in killed.members if member.pid)]:
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: not status(folder).running)
    up(options(folder))
    assert read_everywhere(folder) == KEPT


def test_supervisor_when_killed_then_its_members_end_and_the_next_start_works(folder: Path) -> None:
    first = up(options(folder))
    assert first.supervisor is not None
    os.kill(first.supervisor, signal.SIGKILL)
    assert until(lambda: not members_of(StateFolder(folder).stack))
    assert not status(folder).running
    assert up(options(folder)).healthy


def test_down_when_the_supervisor_was_killed_then_leftovers_are_ended(folder: Path) -> None:
    state = up(options(folder))
    assert state.supervisor is not None
    os.kill(state.supervisor, signal.SIGKILL)
    down(folder)
    assert members_of(StateFolder(folder).stack) == []


def test_up_when_the_record_is_not_readable_then_it_starts_all_the_same(folder: Path) -> None:
    StateFolder(folder).create()
    (folder / "state.json").write_text("{")
    assert up(options(folder)).healthy


def test_up_when_the_record_names_a_pid_that_now_is_somebody_else_then_it_starts_all_the_same(folder: Path) -> None:
    up(options(folder))
    down(folder)
    record = folder / "state.json"
    record.write_text(record.read_text().replace(f'"supervisor": {_supervisor(record)}', f'"supervisor": {os.getpid()}'))
    assert not status(folder).running
    assert up(options(folder)).healthy


def _supervisor(record: Path) -> str:
    return record.read_text().split('"supervisor": ')[1].split(",")[0]


def test_up_when_a_port_is_taken_then_the_error_names_it_and_its_holder(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"port {port} for gateway .* held by process {os.getpid()}"):
            up(options(folder, ports=Ports(gateway=port)))
    assert status(folder).phase == "failed"


def test_up_when_nothing_answers_at_the_endpoint_then_it_says_so(folder: Path) -> None:
    with pytest.raises(PlatformError, match="nothing answers"):
        up(options(folder, mode="endpoint", endpoint="http://127.0.0.1:9"))


def test_up_when_an_endpoint_is_given_then_no_emulator_is_started(folder: Path, shared: Path) -> None:
    endpoint = status(shared).endpoint
    state = up(options(folder, mode="endpoint", endpoint=endpoint))
    assert state.members == ()
    assert environment(folder)["AWS_ENDPOINT_URL"] == endpoint


def test_up_when_aws_is_real_then_no_endpoint_and_no_key_is_set(folder: Path) -> None:
    up(options(folder, mode="aws"))
    assert not [name for name in environment(folder) if name.startswith("AWS_")]


def test_environment_when_nothing_runs_then_it_says_how_to_start(folder: Path) -> None:
    with pytest.raises(NotRunningError, match="core up"):
        environment(folder)


def test_up_when_in_the_foreground_then_it_tells_its_progress_and_ends_on_a_signal(folder: Path) -> None:
    phases: list[str] = []

    def note(state: StackStatus) -> None:
        phases.append(state.phase)
        if state.phase == "ready":
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    state = up(options(folder, foreground=True), note)
    assert (state.running, state.phase) == (False, "stopped")
    assert (phases[0], phases[-1]) == ("starting", "stopped")
    assert signal.getsignal(signal.SIGTERM) is before


def test_up_when_asked_for_twice_at_once_then_both_get_the_same_stack(folder: Path) -> None:
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: up(options(folder)), range(2))
    assert first.supervisor == second.supervisor
    assert len(members_of(StateFolder(folder).stack)) == 3


def test_down_when_the_record_was_lost_then_supervisor_and_members_are_ended_all_the_same(folder: Path) -> None:
    supervisor = up(options(folder)).supervisor
    assert supervisor is not None
    known = process_id(supervisor)
    (folder / "state.json").unlink()
    down(folder)
    assert known is not None
    assert not known.alive()
    assert members_of(StateFolder(folder).stack) == []
