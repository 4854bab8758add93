"""IAM users: what is wanted, what is there, and how a user is taken apart before it can be deleted."""
