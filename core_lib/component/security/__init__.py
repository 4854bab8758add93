"""Pipeline::Security becomes security group rules and IAM policies."""
