"""Single action kinds."""
