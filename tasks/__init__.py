"""Prefect tasks: thin wrappers over `core_lib` that Prefect can show, retry and time. They hold no logic of their own.

`workshop` keeps the tools of one flow run (sessions, CMDB, store, the plan, the engine) in this process, by run id, because
nothing of that may travel through Prefect's database. `retries` says what is worth retrying and turns the platform's own
errors into failed states that say what to do, without a traceback.
"""
