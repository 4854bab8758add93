"""The library of action kinds: one file per kind, found by walking this folder."""
