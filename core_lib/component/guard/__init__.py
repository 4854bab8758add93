"""Guard rails: policy rules as data, and cfn-lint."""
