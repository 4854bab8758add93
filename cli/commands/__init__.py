"""The commands of `core`, one file per group. Each has `register(app)`."""
