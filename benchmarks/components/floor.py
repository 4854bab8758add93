"""The floor and the peer: what the same definitions and templates cost when nothing but text is made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import yaml
from jinja2 import Environment


def read_and_write(files: Mapping[str, str], bodies: Sequence[str]) -> None:
    """The floor: read the definitions with PyYAML's C parser, read and write the templates as JSON."""
    for text in files.values():
        yaml.load(text, Loader=yaml.CSafeLoader)
    for body in bodies:
        json.dumps(json.loads(body), separators=(",", ":"))


class PlainJinja:
    """The peer: templates as Jinja texts with the component's name as their only variable, as scripts of teams have them."""

    def __init__(self, bodies: Sequence[tuple[str, str]]) -> None:
        """`bodies`: component and text of every template."""
        environment = Environment(variable_start_string="<<", variable_end_string=">>", autoescape=False)  # noqa: S701 - JSON, no HTML
        self._work = [(environment.from_string(body.replace(name, "<< name >>")), name) for name, body in bodies]

    def render(self) -> None:
        """Render every text and parse it, without checking anything."""
        for text, name in self._work:
            json.loads(text.render(name=name))
