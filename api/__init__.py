"""Layer 11, the HTTP API. Not built yet: the command line and Prefect's own API submit to `flows.invoke`; so will this one."""
