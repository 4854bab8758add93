"""Requests that are JSON and yet no request: unknown keys, wrong types, names that cannot be, options that exclude each other."""

from __future__ import annotations

import json
from typing import Any

from core_lib.framework.errors import CoreError
from core_lib.framework.models import Prn
from tests.malformed import doors
from tests.malformed.case import Case, cases, refusal

GOOD: dict[str, Any] = {
    "Client": "acme",
    "Task": "deploy",
    "DeploymentDetails": {"Portfolio": "shop", "App": "web", "Branch": "main", "Build": "7"},
    "Package": {"Key": "packages/shop/web/main/7/x.zip"},
}


def details(**fields: Any) -> dict[str, Any]:
    return {"DeploymentDetails": GOOD["DeploymentDetails"] | fields}


def options(**fields: Any) -> dict[str, Any]:
    return {"Options": fields}


def targets(**fields: Any) -> dict[str, Any]:
    return {"Targets": fields}


REQUESTS = (
    Case("client-missing", "CORE-1004", "Client: is missing", {"Client": ...}),
    Case("client-null", "CORE-1004", "Client: must be text", {"Client": None}),
    Case("client-empty", "CORE-1004", "portfolio segment ''", {"Client": ""}),
    Case("client-with-a-space", "CORE-1004", "not valid", {"Client": "a b"}),
    Case("client-that-climbs", "CORE-1004", "not valid", {"Client": "../other"}),
    Case("client-with-a-line-end", "CORE-1004", "not valid", {"Client": "acme\n"}),
    Case("client-twice", "CORE-1004", "given twice", {"client": "acme"}),
    Case("task-missing", "CORE-1004", "Task: is missing", {"Task": ...}),
    Case("task-mistyped", "CORE-1004", "did you mean deploy", {"Task": "deplyo"}),
    Case("task-in-capitals", "CORE-1004", "did you mean deploy", {"Task": "Deploy"}),
    Case("task-of-another-processor", "CORE-1001", "handled: package, upload", {"Task": "release"}),
    Case("type-unknown", "CORE-1004", "pipeline, deployspec", {"Type": "pipelines"}),
    Case("task-not-of-components", "CORE-1001", "teardown, release", {"Type": "pipeline", "Task": "drift"}),
    Case("executor-unknown", "CORE-1004", "prefect, stepfunctions", {"Executor": "cron"}),
    Case("key-mistyped", "CORE-1004", "did you mean Targets", {"Tragets": {}}),
    Case("key-of-somebody-else", "CORE-1004", "unknown key; known are", {"Zebra": 1}),
    Case("correlation-id-with-a-slash", "CORE-1004", "must match", {"CorrelationId": "a/b"}),
    Case("correlation-id-with-a-line-end", "CORE-1004", "must match", {"CorrelationId": "release\n"}),
    Case("correlation-id-too-short", "CORE-1004", "must match", {"CorrelationId": "a"}),
    Case("correlation-id-too-long", "CORE-1004", "must match", {"CorrelationId": "a" * 64}),
    Case("facts-a-list", "CORE-1004", "Facts: must be a map", {"Facts": ["A=1"]}),
    Case("details-missing", "CORE-1004", "DeploymentDetails: is missing", {"DeploymentDetails": ...}),
    Case("details-a-prn", "CORE-1004", "must be a map", {"DeploymentDetails": "prn:shop:web"}),
    Case("details-key-mistyped", "CORE-1004", "did you mean Environment", details(Enviroment="prod")),
    Case("portfolio-with-a-colon", "CORE-1004", "CORE-1002", details(Portfolio="shop:web")),
    Case("portfolio-in-a-list", "CORE-1004", "must be text", details(Portfolio=["shop"])),
    Case("portfolio-that-steers-a-terminal", "CORE-1004", "\\x1b[31m", details(Portfolio="\x1b[31m")),
    Case("app-empty", "CORE-1004", "app segment ''", details(App="")),
    Case("build-without-a-branch", "CORE-1004", "'branch' is not", details(Branch=None)),
    Case("branch-of-slashes", "CORE-1004", "branch segment", details(Branch="///")),
    Case("branch-in-another-script", "CORE-1004", "branch segment", details(Branch="\u4e3b")),
    Case("build-too-long", "CORE-1004", "at most 128 characters", details(Build="7" * 129)),
    Case("build-true", "CORE-1004", "must be text", details(Build=True)),
    Case("scope-unknown", "CORE-1004", "portfolio, app, branch", details(Scope="zone")),
    Case("scope-below-what-is-named", "CORE-1004", "'component' is not", details(Scope="component")),
    Case("tags-of-numbers", "CORE-1004", "Tags.Cost: must be text", details(Tags={"Cost": 5})),
    Case("package-in-two-ways", "CORE-1004", "given once", {"Package": {"Key": "a", "Path": "b"}}),
    Case("package-in-three-ways", "CORE-1004", "given once",
         {"Package": {"Key": "a", "Path": "b", "Inline": {"Files": {"a": "b"}}}}),
    Case("package-key-mistyped", "CORE-1004", "did you mean Inline", {"Package": {"Inlin": {}}}),
    Case("inline-without-files", "CORE-1004", "Files: is missing", {"Package": {"Inline": {}}}),
    Case("inline-file-a-map", "CORE-1004", "must be text",
         {"Package": {"Inline": {"Files": {"deployspec.yaml": {"Actions": []}}}}}),
    Case("dry-run-maybe", "CORE-1004", "must be true or false", options(DryRun="maybe")),
    Case("option-mistyped", "CORE-1004", "did you mean Tolerance", options(Tolerence=1)),
    Case("only-unknown", "CORE-1004", "failed, unstarted", options(Only="all")),
    Case("concurrency-zero", "CORE-1004", "greater than or equal to 1", options(Concurrency=0)),
    Case("concurrency-negative", "CORE-1004", "greater than or equal to 1", options(Concurrency=-4)),
    Case("concurrency-huge", "CORE-1004", "less than or equal to 1000", options(Concurrency=10**9)),
    Case("concurrency-half", "CORE-1004", "must be a whole number", options(Concurrency=2.5)),
    Case("concurrency-in-words", "CORE-1004", "must be a whole number", options(Concurrency="many")),
    Case("account-concurrency-huge", "CORE-1004", "less than or equal to 100", options(AccountConcurrency=101)),
    Case("tolerance-negative", "CORE-1004", "a percentage", options(Tolerance=-1)),
    Case("tolerance-above-all", "CORE-1004", "a percentage", options(Tolerance="101%")),
    Case("tolerance-with-a-space", "CORE-1004", "a percentage", options(Tolerance="5 %")),
    Case("tolerance-in-words", "CORE-1004", "a percentage", options(Tolerance="some")),
    Case("tolerance-empty", "CORE-1004", "a percentage", options(Tolerance="")),
    Case("tolerance-only-a-sign", "CORE-1004", "a percentage", options(Tolerance="%")),
    Case("tolerance-half", "CORE-1004", "must be", options(Tolerance=0.5)),
    Case("tolerance-true", "CORE-1004", "a percentage", options(Tolerance=True)),
    Case("tolerance-in-foreign-digits", "CORE-1004", "a percentage", options(Tolerance="\u0665")),
    Case("tolerance-of-many-digits", "CORE-1004", "a percentage", options(Tolerance="9" * 5000)),
    Case("when-locked-unknown", "CORE-1004", "wait, refuse", options(WhenLocked="steal")),
    Case("target-key-mistyped", "CORE-1004", "did you mean Accounts", targets(Acounts=["audit"])),
    Case("target-account-a-number", "CORE-1004", "put it in quotes", targets(Accounts=[111111111111])),
    Case("target-tags-a-list", "CORE-1004", "must be a map", targets(Tags=["tier=1"])),
    Case("target-tag-a-number", "CORE-1004", "must be a list", targets(Tags={"tier": 1})),
    Case("target-exclude-a-list", "CORE-1004", "must be a map", targets(Exclude=["audit"])),
    Case("target-exclude-tags", "CORE-1004", "unknown key", targets(Exclude={"Tags": {"a": "b"}})),
)  # fmt: skip


def written(changes: dict[str, Any]) -> str:
    return json.dumps({key: value for key, value in (GOOD | changes).items() if value is not ...}, indent=1)


def test_payload_when_nothing_is_changed_then_it_is_taken() -> None:
    assert doors.read_payload(written({})).runs


@cases(*REQUESTS)
def test_payload_when_it_breaks_its_schema_then_it_is_refused_with_its_line(case: Case) -> None:
    error = refusal(lambda: doors.read_payload(written(case.given)), case)
    if error.code == "CORE-1004":
        assert str(error.where).startswith("payload.json:")


PRNS = (
    Case("empty", "CORE-1002", "starts with 'prn:'", ""),
    Case("without-head", "CORE-1002", "starts with 'prn:'", "shop:web"),
    Case("another-head", "CORE-1002", "starts with 'prn:'", "arn:aws:iam::111111111111:role/x"),
    Case("head-in-capitals", "CORE-1002", "starts with 'prn:'", "PRN:shop"),
    Case("head-only", "CORE-1002", "portfolio segment ''", "prn:"),
    Case("no-colon", "CORE-1002", "1 to 5 segments, not 0", "prn"),
    Case("six-segments", "CORE-1002", "1 to 5 segments, not 6", "prn:a:b:c:d:e:f"),
    Case("a-hundred-thousand-segments", "CORE-1002", "1 to 5 segments", "prn" + ":a" * 100_000),
    Case("gap", "CORE-1002", "app segment ''", "prn:a::c"),
    Case("trailing-colon", "CORE-1002", "app segment ''", "prn:a:"),
    Case("space", "CORE-1002", "'a b' is not valid", "prn:a b"),
    Case("leading-space", "CORE-1002", "starts with 'prn:'", " prn:a"),
    Case("line-end", "CORE-1002", "not valid", "prn:a\n"),
    Case("slash", "CORE-1002", "not valid", "prn:shop:web:feature/x"),
    Case("climbing", "CORE-1002", "not valid", "prn:..:.."),
    Case("dash-first", "CORE-1002", "not valid", "prn:-a"),
    Case("dot-last", "CORE-1002", "not valid", "prn:a."),
    Case("wildcard", "CORE-1002", "not valid", "prn:shop:*"),
    Case("accent", "CORE-1002", "not valid", "prn:caf\u00e9"),
    Case("cyrillic-look-alike", "CORE-1002", "not valid", "prn:\u0430cme"),
    Case("foreign-digits", "CORE-1002", "not valid", "prn:shop:web:main:\u0667"),
    Case("hidden-character", "CORE-1002", "not valid", "prn:sh\u200bop"),
    Case("nul", "CORE-1002", "not valid", "prn:a\x00"),
    Case("terminal", "CORE-1002", "\\x1b", "prn:\x1b]0;x\x07"),
    Case("expression", "CORE-1002", "not valid", "prn:{{ 7 * 7 }}"),
    Case("segment-too-long", "CORE-1002", "at most 128 characters", "prn:" + "a" * 129),
    Case("segment-of-a-megabyte", "CORE-1002", "at most 128 characters", "prn:" + "a" * 1_000_000),
)  # fmt: skip


@cases(*PRNS)
def test_prn_when_malformed_then_the_message_says_which_part(case: Case) -> None:
    refusal(lambda: _parse(case.given), case)


def _parse(text: str) -> Prn:
    """Read a PRN; where the error does not repeat the text, the text is the place."""
    try:
        return Prn.parse(text)
    except CoreError as error:
        error.where = error.where or "argument"
        raise
