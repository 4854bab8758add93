"""The files that `core init` writes."""

from __future__ import annotations

SETTINGS = """\
# Settings of this project. `core info` shows every value and where it came from.
client = "{client}"

[deployment]
portfolio = "{portfolio}"
app = "{app}"
branch = "main"
build = "1"
environment = "dev"
"""

_DEPLOYSPEC = """\
# Where it runs, with what, and what it does. `core schema deployspec` prints the schema for your editor.
Targets:
  OrganizationalUnits: [/workloads]
  Regions: [eu-west-1]

Parameters:
  Common:
    RetentionDays: 30
  OrganizationalUnits:
    /workloads/prod:
      RetentionDays: 365

Actions:
  - Name: storage
    Kind: AWS::CreateStack
    Spec:
      StackName: "{app}-storage"
      Template: templates/storage.yaml
"""

_TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: An encrypted, private bucket.

Parameters:
  RetentionDays:
    Type: Number
    Description: Days after which old versions are deleted.
    Default: 30

Resources:
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault: {SSEAlgorithm: "aws:kms"}
      PublicAccessBlockConfiguration:
        BlockPublicAcls: true
        BlockPublicPolicy: true
        IgnorePublicAcls: true
        RestrictPublicBuckets: true
      VersioningConfiguration: {Status: Enabled}
      LifecycleConfiguration:
        Rules:
          - Id: forget-old-versions
            Status: Enabled
            NoncurrentVersionExpiration: {NoncurrentDays: !Ref RetentionDays}

Outputs:
  BucketName:
    Description: Name of the bucket.
    Value: !Ref Bucket
"""

_REGISTRY = """\
# What the platform should know; `core registry import registry.yaml` stores it.
# Try it without any platform: core compile --registry registry.yaml
Client: {{Client: {client}}}

Portfolios:
  - Portfolio: {portfolio}

Apps:
  - {{Portfolio: {portfolio}, App: {app}}}

# Invented accounts, to compile with. Take them out before the import: `core registry sync` reads the real ones.
Accounts:
  - {{Id: "400000000001", Name: shop-prod, OrganizationalUnit: /workloads/prod}}
  - {{Id: "400000000002", Name: shop-test, OrganizationalUnit: /workloads/test}}
"""


def scaffold(*, client: str, portfolio: str, app: str) -> dict[str, str]:
    """The text of every file, by path relative to the package."""
    return {
        "core.toml": SETTINGS.format(client=client, portfolio=portfolio, app=app),
        "deployspec.yaml": _DEPLOYSPEC.format(app=app),
        "templates/storage.yaml": _TEMPLATE,
        "registry.yaml": _REGISTRY.format(client=client, portfolio=portfolio, app=app),
    }
