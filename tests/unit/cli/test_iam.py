"""`core iam`: the policy of a package and of a plan file, as JSON and as a template."""

from __future__ import annotations

from pathlib import Path

from core_lib.execute.policy import LARGEST_DOCUMENT, size_of
from tests.unit.cli.test_offline_commands import OFFLINE, answer, baseline, refusal

__all__ = ["baseline"]


def test_iam_of_a_package_when_printed_then_documents_fit_and_have_what_its_templates_need(baseline: Path) -> None:
    roles = answer("iam", *OFFLINE)["Roles"]
    documents = [document for role in roles for document in role["Policies"]]
    assert all(size_of(document) <= LARGEST_DOCUMENT for document in documents)
    actions = {name for document in documents for item in document["Statement"] for name in _listed(item["Action"])}
    assert {"cloudformation:ExecuteChangeSet", "sns:CreateTopic"} <= actions


def test_iam_of_a_plan_file_when_it_has_its_files_beside_it_then_it_is_the_same_as_that_of_its_package(baseline: Path) -> None:
    answer("compile", *OFFLINE, "--out", "out")
    package, plan = answer("iam", *OFFLINE), answer("iam", "out/deploy.actions")
    assert [role["Accounts"] for role in plan["Roles"]] == [role["Accounts"] for role in package["Roles"]]


def test_iam_when_one_account_is_named_then_it_can_be_a_template_with_trust(baseline: Path) -> None:
    account = answer("iam", *OFFLINE)["Roles"][0]["Accounts"][0]
    asked = ("iam", *OFFLINE, "--account", account, "--template")
    template = answer(*asked, "--trust", "111111111111", "--external-id", "handshake")
    assert template["Resources"]["Role"]["Type"] == "AWS::IAM::Role"
    assert refusal(*asked)[1]["Where"] == "--trust"


def test_iam_when_the_file_is_no_plan_then_it_says_so(baseline: Path) -> None:
    Path("broken.json").write_text("{}")
    assert "not a plan" in refusal("iam", "broken.json")[1]["Message"]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
