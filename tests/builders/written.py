"""Components as they are after `definitions`, from a few lines of YAML and types made on the spot."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent
from typing import Any

from core_lib.component.definitions import read_definitions
from core_lib.component.library import Catalogue
from core_lib.component.model import Component
from core_lib.framework.package import Package
from tests.builders.component_facts import component_facts

FILE = "platform/components/app.yaml"
TYPES = {
    "Server": """
        Type: Test::Server
        Group: compute
        Purpose: A server.
        Options: {"*": {}}
        Configuration:
          Server: {Purpose: The server., Loose: true, Security: [network]}
          Admin: {Purpose: Its other side., Loose: true, Security: [network], Group: AdminGroup}
          "*Volume": {Purpose: A volume., Loose: true}
        Security:
          Groups: [SecurityGroup, AdminGroup]
          Roles:
            Role: {Services: [ec2.amazonaws.com], InstanceProfile: true}
        Outputs: {ServerId: its id, "${Key}Id": id of what is written under this key}
    """,
    "Table": """
        Type: Test::Table
        Group: databases
        Purpose: A table.
        Configuration:
          Table: {Purpose: The table., Loose: true, Security: [iam]}
        Security:
          Allow:
            read:
              Actions: ["dynamodb:GetItem", "dynamodb:Query"]
              Resources: ["${TableArn}", "${TableArn}/index/*"]
              KeyActions: ["kms:Decrypt"]
            list: {Actions: ["dynamodb:ListTables"], Resources: ["*"]}
            watch: {Actions: ["logs:GetLogEvents"], Resources: ["arn:${AWS::Partition}:logs:*:*:log-group:${Key}-*"]}
        Outputs: {TableName: its name, TableArn: its ARN}
    """,
    "Function": """
        Type: Test::Function
        Group: compute
        Purpose: A function.
        Configuration:
          Function: {Purpose: The function., Loose: true, Security: [iam, network]}
        Security:
          Groups: [SecurityGroup]
          Roles:
            Role: {Services: [lambda.amazonaws.com]}
          Allow:
            invoke: {Actions: ["lambda:InvokeFunction"], Resources: ["${FunctionArn}"]}
        Outputs: {FunctionArn: its ARN}
    """,
    "Bucket": """
        Type: Test::Bucket
        Group: storage
        Purpose: A bucket.
        Configuration:
          Bucket: {Purpose: The bucket., Loose: true}
        Outputs: {BucketName: its name}
    """,
    "Site": """
        Type: Test::Site
        Group: web
        Purpose: A website.
        Configuration:
          Site: {Purpose: The website., Loose: true, Security: [addresses]}
    """,
    "Anything": """
        Type: Test::Anything
        Group: developer
        Purpose: A template of the user's own.
        Configuration:
          Template: {Purpose: The template., Loose: true}
        Outputs: {"*": whatever it has}
    """,
}  # fmt: skip
CATALOGUE = Catalogue([], {}).extended({f"{name}/type.yaml": dedent(text).encode() for name, text in TYPES.items()}, "types")


def written(text: str, **facts: Any) -> Mapping[str, Component]:
    """The components of a file."""
    package = Package.from_files({FILE: dedent(text)})
    return read_definitions(package, component_facts(**facts), CATALOGUE).components
