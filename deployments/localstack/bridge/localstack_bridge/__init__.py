"""Plugins that LocalStack finds through the entry points in this distribution's metadata."""
