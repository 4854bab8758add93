"""The generated pieces of the reference, one function each; every one returns Markdown."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import typer.main
from pydantic import SecretStr

from cli.exit_codes import MEANING, exit_code_of
from cli.main import app
from cli.schemas import DOCUMENTS, document_schema
from core_lib.execute import reference_markdown
from core_lib.framework.errors import CoreError
from core_lib.framework.settings import Settings
from core_lib.framework.settings.names import fields


def commands() -> str:
    """Every command with its arguments and options, as typer knows them."""
    return "\n".join(_commands(typer.main.get_command(app), "core"))


def _commands(command: Any, path: str) -> Iterator[str]:
    members = getattr(command, "commands", None)
    if members is not None:
        for name, member in members.items():
            yield from _commands(member, f"{path} {name}")
        return
    context = command.context_class(command, info_name=path)
    usage = command.get_usage(context).removeprefix("Usage: ")
    yield from ("", f"## {path}", "", inspect.cleandoc(command.help or ""), "", "```text", usage, "```", "")
    records = [param.get_help_record(context) for param in command.params if not getattr(param, "hidden", False)]
    yield table(("argument or option", "meaning"), [(code(record[0]), record[1]) for record in records if record])


def exit_codes() -> str:
    """The table of exit codes."""
    return table(("code", "name", "meaning"), [(str(int(item)), code(item.name), text) for item, text in MEANING.items()])


def errors() -> str:
    """Every error of the tree with its code, its exit code and its meaning."""
    rows = [
        (code(kind.code), "&nbsp;" * 4 * depth + kind.__name__, first_line(kind), str(int(exit_code_of(kind))))
        for kind, depth in _tree(CoreError, 0)
    ]
    return table(("code", "error", "meaning", "exit code"), rows)


def _tree(kind: type[CoreError], depth: int) -> Iterator[tuple[type[CoreError], int]]:
    yield kind, depth
    for child in sorted((item for item in kind.__subclasses__() if "code" in vars(item)), key=lambda item: item.code):
        yield from _tree(child, depth + 1)


def settings() -> str:
    """Every setting with its environment variable, default and meaning."""
    rows = []
    for name, field in fields(Settings):
        value = field.get_default(call_default_factory=True)
        default = "" if value in (None, (), {}) or isinstance(value, SecretStr) else code(str(value))
        variable = code("CORE_" + name.upper().replace(".", "__"))
        rows.append((code(name), variable, default, " ".join((field.description or "").split())))
    return table(("setting", "environment variable", "default", "meaning"), rows)


def actions() -> str:
    """Every action kind, as Execute describes it."""
    return reference_markdown().partition("\n")[2]


def schemas() -> str:
    """What each schema describes, and how to print it."""
    rows = [(code(f"core schema {name}"), document_schema(name).get("title", ""), text) for name, text in DOCUMENTS.items()]
    return table(("command", "title", "what it describes"), rows)


def first_line(kind: type) -> str:
    """First line of a docstring."""
    return (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")


def code(text: str) -> str:
    """Text in backticks, safe within a table."""
    return f"`{text}`".replace("|", "&#124;") if "|" not in text else f"<code>{text.replace('|', '&#124;')}</code>"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    lines += ["| " + " | ".join(cell.replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
