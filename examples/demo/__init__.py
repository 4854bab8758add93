"""The demonstration behind `make demo`: the platform's main job, on the embedded cloud, from nothing.

`organization` makes an AWS organization of 64 accounts, `gateway` looks at the embedded cloud from outside (how many calls were
made; make one account fail), `console` runs the `core` commands as a person would type them, and `__main__` is the story.
"""
