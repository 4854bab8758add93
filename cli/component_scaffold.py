"""The files that `core init --components` writes: an application of three components, and facts to try it with."""

from __future__ import annotations

from cli.scaffold import SETTINGS

_COMPONENTS = """\
# The application. What a type takes: core component show AWS::Serverless; all types: core component list
orders:
  Type: AWS::DynamoDB
  Persist: true                       # a new build goes on using the table of the released one
  Configuration:
    Table:
      Pipeline::Security:
        - {Source: checkout, Allow: [read, write]}
      Properties:
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
        TimeToLiveSpecification: {AttributeName: expires, Enabled: true}

placed-orders:
  Type: AWS::SQS::Queue
  Configuration:
    Queue:
      Pipeline::Security:
        - {Source: checkout, Allow: [write]}

checkout:
  Type: AWS::Serverless
  Configuration:
    Function:
      Pipeline::Link:                 # environment variables of the function
        TABLE_NAME: {Component: orders, OutputName: TableName}
        QUEUE_URL: {Component: placed-orders, OutputName: QueueUrl}
      Properties:
        Runtime: python3.13
        Handler: index.handler
        MemorySize: "{{ vars.CheckoutMemory }}"
        Code:
          ZipFile: |
            import os

            def handler(event, context):
                return {"table": os.environ["TABLE_NAME"]}
"""

_VARS = """\
# Values for the definitions, as vars.NAME. Sections whose name fits the branch are merged over the defaults, in order.
_defaults:
  CheckoutMemory: 256
main:
  CheckoutMemory: 512
"""

_REGISTRY = """\
# What the platform should know; `core registry import registry.yaml` stores it.
# Try it without any platform: core component validate --registry registry.yaml
Client: {{Client: {client}, Tags: {{CostCentre: "4711"}}}}

Portfolios:
  - Portfolio: {portfolio}

# Where the app goes. Add what components ask for: VpcAliases, SubnetAliases, ImageAliases, SecurityAliases ...
Zones:
  - Zone: dev
    AccountFacts: {{AwsAccountId: "400000000001", AccountName: shop-dev, Environment: dev}}
    RegionFacts:
      ireland: {{AwsRegion: eu-west-1}}

Apps:
  - {{Portfolio: {portfolio}, App: {app}, Zone: dev, Region: ireland}}

# An invented account, to compile with. Take it out before the import: `core registry sync` reads the real ones.
Accounts:
  - {{Id: "400000000001", Name: shop-dev, OrganizationalUnit: /workloads/dev}}
"""


def component_scaffold(*, client: str, portfolio: str, app: str) -> dict[str, str]:
    """The text of every file, by path relative to the package."""
    return {
        "core.toml": SETTINGS.format(client=client, portfolio=portfolio, app=app),
        "platform/components/application.yaml": _COMPONENTS,
        "platform/vars/vars.yaml": _VARS,
        "registry.yaml": _REGISTRY.format(client=client, portfolio=portfolio, app=app),
    }
