"""What is compiled: chains of stacks over many accounts, the same tree for this compiler and for Sceptre."""

from __future__ import annotations

from pathlib import Path

from core_lib.db import Facts, merge_layers
from core_lib.framework.models import Account, DeploymentDetails, TaskPayload
from core_lib.framework.package import Package

REGION = "eu-west-1"
TEMPLATE = """\
Parameters:
  Name: {Type: String}
  Owner: {Type: String}
  Size: {Type: Number, Default: 1}
  Upstream: {Type: String, Default: none}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Sub "${Name}-${Owner}-${Size}-${Upstream}"}
Outputs:
  Arn: {Value: !Ref Topic}
"""


def package(chain: int) -> Package:
    """A deployspec with this many chained stacks for every account: names, parameters and references differ per target."""
    lines = [
        "Targets:",
        "  OrganizationalUnits: [/workloads]",
        f"  Regions: [{REGION}]",
        "Parameters:",
        "  Common: {Owner: platform}",
        "  OrganizationalUnits: {/workloads/prod: {Size: 3}}",
        "Actions:",
    ]
    for index in range(chain):
        lines += [f"  - Name: s{index:04d}", "    Kind: AWS::CreateStack"]
        if index:
            lines.append(f"    DependsOn: [s{index - 1:04d}]")
        lines += [
            "    Spec:",
            f'      StackName: "stack-{index}-{{{{ AccountName }}}}"',
            "      Template: t.yaml",
            "      Parameters:",
        ]
        lines.append('        Name: "{{ Portfolio }}-{{ AwsRegion }}"')
        if index:
            lines.append(f'        Upstream: "{{{{ outputs.s{index - 1:04d}.Arn }}}}"')
    return Package.from_files({"t.yaml": TEMPLATE, "deployspec.yaml": "\n".join(lines) + "\n"})


def accounts(count: int) -> list[Account]:
    """Accounts in two units below /workloads."""
    return [
        Account(id=f"{number:012d}", name=f"workload-{number}", organizational_unit=f"/workloads/{('test', 'prod')[number % 2]}")
        for number in range(1, count + 1)
    ]


def payload() -> TaskPayload:
    """One deployment."""
    details = DeploymentDetails(portfolio="bench", app="compile", branch="main", build="1")
    return TaskPayload.model_validate({"Client": "acme", "Task": "deploy", "DeploymentDetails": details})


def facts() -> Facts:
    """Facts of that deployment."""
    names = {"Client": "acme", "Portfolio": "bench", "App": "compile", "Branch": "main", "Build": "1", "Environment": "prod"}
    return merge_layers([("client", names)])


def sceptre_project(root: Path, chain: int, count: int) -> Path:
    """The same tree as a Sceptre project: a folder for each account, each stack depends on the one before."""
    (root / "templates").mkdir(parents=True)
    (root / "templates" / "t.yaml").write_text(TEMPLATE)
    config = root / "config"
    config.mkdir()
    (config / "config.yaml").write_text(f"project_code: bench\nregion: {REGION}\n")
    for number in range(1, count + 1):
        folder = config / f"account{number:04d}"
        folder.mkdir()
        for index in range(chain):
            lines = ["template: {path: t.yaml, type: file}", "parameters: {Name: bench, Owner: platform}"]
            if index:
                lines.append(f"dependencies: [account{number:04d}/s{index - 1:04d}.yaml]")
            (folder / f"s{index:04d}.yaml").write_text("\n".join(lines) + "\n")
    return root
