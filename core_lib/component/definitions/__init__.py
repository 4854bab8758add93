"""Reads the components and vars of a package, renders them, and checks them against their types."""
