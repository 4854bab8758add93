"""Facts of a deployment whose zone has everything that components may ask for."""

from __future__ import annotations

from typing import Any

ACCOUNT = "111111111111"
REGION = "eu-west-1"


def component_facts(**changes: Any) -> dict[str, Any]:
    """Merged facts of `prn:shop:web:main:7` in a zone with a network, images, security aliases and a hosted zone."""
    facts: dict[str, Any] = {
        "Client": "acme",
        "Portfolio": "shop",
        "App": "web",
        "Branch": "main",
        "BranchShortName": "main",
        "Build": "7",
        "Environment": "prod",
        "AwsAccountId": ACCOUNT,
        "AwsRegion": REGION,
        "AccountName": "shop-prod",
        "OrganizationalUnit": "/workloads/prod",
        "ResourceNamespace": "acme",
        "AzCount": 3,
        "VpcAliases": {"main": "Main"},
        "SubnetAliases": {"public": "Public", "private": "Private", "data": "Data"},
        "ImageAliases": {
            "amazon-linux-2023": "ami-0123456789abcdef0",
            "windows-2022": "ami-0fedcba9876543210",
            "rhel-9": "ami-00112233445566778",
        },
        "SnapshotAliases": {
            "orders": "arn:aws:rds:eu-west-1:111111111111:snapshot:orders-golden",
            "disk": "snap-0123456789abcdef0",
        },
        "DockerImageAliases": {"nginx": "public.ecr.aws/nginx/nginx:1.27"},
        "SecurityAliases": {
            "office": [{"Type": "cidr", "Value": "198.51.100.0/24", "Description": "the office"}],
            "cloudfront": [{"Type": "prefix", "Value": "pl-4fa04526", "Description": "CloudFront's edges"}],
        },
        "SecurityGroupAliases": {"bastion": "sg-0123456789abcdef0"},
        "HostedZoneName": "shop.example.org",
        "HostedZoneId": "Z0123456789ABCDEFGHIJ",
        "FilesBucketName": "acme-files",
        "FilesBucketRegion": REGION,
        "FilesBucketUrl": f"https://acme-files.s3.{REGION}.amazonaws.com",
        "SharedFilesPrefix": "files/shared",
        "PortfolioFilesPrefix": "files/shop",
        "AppFilesPrefix": "files/shop/web",
        "BranchFilesPrefix": "files/shop/web/main",
        "BuildFilesPrefix": "files/shop/web/main/7",
        "MinSuccessfulInstancesPercent": 100,
        "Owner": {"Name": "Shop team", "Email": "shop@example.org"},
        "Tags": {"CostCentre": "4711"},
    }
    return facts | changes
