"""Packages of components, and a small catalogue of types to hold them against."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent
from typing import Any

from core_lib.component.definitions import read_definitions
from core_lib.component.library import Catalogue
from core_lib.component.model import Component, Definitions
from core_lib.framework.package import Package

TABLE_TYPE = """\
Type: Test::Table
Aliases: [Test::OldTable, {Type: Test::FastTable, Options: {Speed: fast}}]
Group: databases
Purpose: A table.
Options:
  Speed: {type: string, enum: [slow, fast], default: slow}
  Limits: {type: object, properties: {Reads: {type: integer, default: 5}}, additionalProperties: false}
Configuration:
  Table:
    Resource: AWS::DynamoDB::Table
    Count: "1"
    Purpose: The table.
    Refused: {TableName: the platform makes the name}
    Extra: {Hot: {type: boolean, default: false}}
    Security: [iam]
  "*Alarm": {Resource: AWS::CloudWatch::Alarm, Count: 0-2, Purpose: An alarm.}
  LogGroup: {Resource: AWS::Logs::LogGroup, Purpose: The log group.}
  Freely: {Resource: AWS::S3::Bucket, Purpose: Not checked., Loose: true}
  Own: {Purpose: Properties of ours., Extra: {Colour: {enum: [red, blue]}}}
"""
QUEUE_TYPE = """\
Type: Test::Queue
Group: messaging
Purpose: A queue.
Configuration:
  Queue: {Resource: AWS::SQS::Queue, Purpose: The queue., Security: [iam]}
"""
CATALOGUE = Catalogue([], {}).extended({"Table/type.yaml": TABLE_TYPE.encode(), "Queue/type.yaml": QUEUE_TYPE.encode()}, "types")
FILE = "platform/components/app.yaml"
FACTS: Mapping[str, Any] = {
    "Portfolio": "shop", "App": "web", "Branch": "main", "BranchShortName": "main", "Build": "7", "Environment": "prod",
    "AwsAccountId": "000000000011", "AwsRegion": "eu-west-1", "Tags": {"Owner": "platform"},
}  # fmt: skip


def defined(components: str | Mapping[str, str | bytes], *, vars: str | None = None, **facts: Any) -> Definitions:  # noqa: A002
    """The definitions of a package: the text of its one file of components, or all its files; and its vars."""
    files = {FILE: dedent(components)} if isinstance(components, str) else dict(components)
    if vars is not None:
        files["platform/vars/vars.yaml"] = dedent(vars)
    return read_definitions(Package.from_files(files), {**FACTS, **facts}, CATALOGUE)


def component(text: str, *, vars: str | None = None, **facts: Any) -> Component:  # noqa: A002
    """The one component of that text."""
    (found,) = defined(text, vars=vars, **facts).components.values()
    return found


def table(*properties: str) -> str:
    """A component `orders` whose table has these properties, one a line; the first is in line 6 of the file."""
    head = "orders:\n  Type: Test::Table\n  Configuration:\n    Table:\n      Properties:\n"
    return head + "".join(f"        {line}\n" for line in properties)
