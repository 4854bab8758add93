"""What the modification of a database instance is made of."""
