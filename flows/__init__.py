"""Flows: the story of a run, one Prefect flow per stage, each readable from top to bottom.

    invoke -> compile_deployspec -> run -> execute_targets (one sub-flow per batch of accounts) -> report

`invoke` is the one door for payloads, `resume` for runs that go on; `teardown` asks for a confirmation first, `sync_accounts`
reads the organization. Logic lives in `core_lib`, what Prefect retries and shows in `tasks`.

Other floors come in through `flows.door`: `submit`, `submit_resume`, `submit_teardown`, `look`, `wait`, `cancel_run`, `run_here`,
`resume_here`, `teardown_here`.
"""
