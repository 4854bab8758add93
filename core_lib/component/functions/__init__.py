"""Pipeline functions become CloudFormation values."""
