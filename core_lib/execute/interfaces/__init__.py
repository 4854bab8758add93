"""What the deletion of network interfaces is made of."""
