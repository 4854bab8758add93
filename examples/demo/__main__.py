"""`make demo`: bring the platform up, make an organization, and roll a baseline over it, four times."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from deployments.local import down, environment
from examples.demo import gateway, organization
from examples.demo.console import SCREEN, Unexpected, ask, core, say, unattended

STATE = Path(".demo")  # of its own: the demo starts from nothing and touches nobody's work
PACKAGE = Path("examples/baseline")
WORK = STATE / "demo"
NOISY_ACCOUNT = "workload-003"
FAILING_ACCOUNT = "workload-008"

# Changes of the deployspec: what stands there, and what comes in its place.
FIRST_ACCOUNT = "    workload-001:\n      QueueDepthAlarm: 5\n"
NOISY = (FIRST_ACCOUNT, f"{FIRST_ACCOUNT}    {NOISY_ACCOUNT}:\n      QueueDepthAlarm: 50\n")
PRODUCTION = ("      QueueDepthAlarm: 20\n", "      QueueDepthAlarm: 25\n")


def main() -> int:
    """Run the story; 0 when every step ended as it says."""
    started = time.monotonic()
    for wish in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wish, signal.default_int_handler)
    try:
        bring_up()
        register()
        first_run()
        unchanged_run()
        one_parameter()
        failing_account()
    except Unexpected as surprise:
        SCREEN.print(f"\n[bold red]The demo went wrong:[/bold red] {surprise}")
        SCREEN.print("Logs are in .demo/logs. What is up stays up: `CORE_STATE_DIR=.demo .venv/bin/core down` ends it.")
        return 1
    except KeyboardInterrupt:
        core("down")
        return 130
    say("Done", f"The whole story took {time.monotonic() - started:.0f} seconds.")
    stay()
    return 0


def bring_up() -> None:
    """The platform on this machine, and an organization in its cloud."""
    say(
        "1. The platform on this machine", "An emulated AWS, the Prefect server with its UI, a worker; no Docker, no AWS account."
    )
    os.environ["CORE_STATE_DIR"] = str(STATE)
    os.environ["CORE_CONFIG"] = str(PACKAGE / "core.toml")
    down(STATE)
    shutil.rmtree(STATE, ignore_errors=True)
    core("up")
    os.environ.update(environment(STATE))
    say("2. An organization", "A management account, audit, network, and 60 workload accounts in nested units.")
    organization.create(SCREEN.print)


def register() -> None:
    """What the platform has to know: client, portfolio, app, zones, and the accounts of the organization."""
    core("registry", "import", str(PACKAGE / "registry.yaml"))
    core("registry", "sync")


def first_run() -> None:
    """Plan, review, approve, apply."""
    say("3. One request", "A hub, then four stacks in every workload account and region: planned, reviewed, approved, applied.")
    build = package(1)
    core("apply", str(build), "--yes")


def unchanged_run() -> None:
    """The same package again: nothing to do, and hardly a call to find out."""
    say("4. The same again", "Nothing has changed, and one CloudFormation call for each account and region shows it.")
    gateway.reset_counts()
    seconds = core("deploy", str(package(1)), "--yes")
    total, most = gateway.stack_calls()
    SCREEN.print(f"{total} CloudFormation calls, at most {most} for any account and region, {seconds:.1f} seconds in all")
    if most > 1:
        raise Unexpected(f"an unchanged account and region took {most} CloudFormation calls")


def one_parameter() -> None:
    """One account's parameter changes, and only its stacks move."""
    say("5. One changed parameter", f"{NOISY_ACCOUNT} wants its alarm at another depth: only its two alarm stacks move.")
    core("apply", str(package(2, NOISY)), "--yes")


def failing_account() -> None:
    """One account refuses; the others go on; later the run is finished."""
    say("6. One account fails", f"A policy denies {FAILING_ACCOUNT} its change sets. Tolerance holds, the other accounts go on.")
    account = account_id(FAILING_ACCOUNT)
    build = package(3, NOISY, PRODUCTION)
    gateway.deny_change_sets(account)
    core("deploy", str(build), "--yes", "--tolerance", "5%", expect=1)
    run = ask("runs", "list")["Runs"][0]["RunId"]
    say("7. Repair and resume", "The policy is gone; the run goes on where it stood and repeats nothing.")
    gateway.deny_nothing()
    core("runs", "resume", run)
    core("runs", "show", run)


def package(number: int, *changes: tuple[str, str]) -> Path:
    """A copy of the example's package, with these places of its deployspec changed."""
    folder = WORK / f"build-{number}"
    if not folder.exists():
        shutil.copytree(PACKAGE, folder)
        spec = folder / "deployspec.yaml"
        text = spec.read_text()
        for old, new in changes:
            if text.count(old) != 1:
                raise Unexpected(f"examples/baseline/deployspec.yaml no longer holds {old!r} once")
            text = text.replace(old, new)
        spec.write_text(text)
    return folder


def account_id(name: str) -> str:
    """Id of an account of the demo's organization."""
    accounts = ask("registry", "list", "accounts")["Accounts"]
    return next(str(account["Id"]) for account in accounts if account["Name"] == name)


def stay() -> None:
    """Leave everything up for a look, until Ctrl-C; unattended, end at once."""
    core("status")
    if not unattended():
        SCREEN.print("\nEverything stays up. Ctrl-C ends it all; in another terminal, try")
        SCREEN.print("CORE_STATE_DIR=.demo .venv/bin/core runs list", style="bold")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
    core("down")


if __name__ == "__main__":
    sys.exit(main())
