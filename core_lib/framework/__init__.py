"""Layer 1, framework: the words of the platform as models, its errors, its settings and its codecs.

Every message that crosses a door is one pydantic model from `models`. Every error is a `CoreError` with a stable code from
`errors`. `settings` is the one tree of settings. `codecs` read and write YAML and JSON without the traps of YAML 1.1 and can
tell the file and line of every value.
"""
