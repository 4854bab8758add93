"""Performance, always as a ratio to a peer or to a floor measured in the same run. `python -m benchmarks [NAME ...]`."""
