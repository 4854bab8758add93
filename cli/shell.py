"""What every command has in common: its options, where its output goes, and how it ends.

A command is a plain function whose first parameter is the `Shell`. `command` registers it with typer, adds the options that all
commands share, and turns every error into one short message and an exit code. In JSON mode exactly one document is written to
standard output, whatever happens; everything meant for people goes to standard error.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_type_hints

import typer

from cli.exit_codes import ExitCode, exit_code_of
from core_lib.framework.errors import CoreError, InputError, harmless

if TYPE_CHECKING:
    from rich.console import Console

STATE_DIR_VARIABLE = "CORE_STATE_DIR"
DEFAULT_STATE_DIR = ".core"
PIPE_WIDTH = 400


def default_state_dir() -> Path:
    """`CORE_STATE_DIR`, else the nearest `.core` of a local platform from the working directory upwards, else a new one here."""
    given = os.environ.get(STATE_DIR_VARIABLE)
    if given:
        return Path(given)
    here = Path.cwd()
    places = (folder / DEFAULT_STATE_DIR for folder in (here, *here.parents))
    return next((place for place in places if (place / "state.json").exists()), Path(DEFAULT_STATE_DIR))


@dataclass
class Shell:
    """One call of a command: the shared options, and the two places output may go."""

    json_mode: bool = False
    client: str | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    state_dir: Path = field(default_factory=default_state_dir)

    @functools.cached_property
    def out(self) -> Console:
        """Where results go (standard output). A file or a pipe has no width, so nothing is folded there."""
        from rich.console import Console

        return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH)

    @functools.cached_property
    def err(self) -> Console:
        """Where progress, questions and errors go (standard error)."""
        from rich.console import Console

        return Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """Tell people something that is not the result. Plain text, no markup."""
        self.err.print(text, markup=False, soft_wrap=True)

    def emit(self, document: Any, text: Callable[[], Any] | str) -> None:
        """Write the result: `document` as JSON in JSON mode, else `text` (a string, or a function that prints)."""
        if self.json_mode:
            print(to_json(document))
        elif callable(text):
            text()
        else:
            print(text)

    def done(self, code: ExitCode) -> None:
        """End the command with this exit code."""
        raise typer.Exit(int(code))


def to_json(document: Any) -> str:
    """Indented JSON; pydantic messages become their wire form, paths and times become text."""
    only_ascii = not writes_everything(sys.stdout.encoding)
    return json.dumps(document, indent=2, ensure_ascii=only_ascii, default=_wire_form)


def writes_everything(encoding: str | None) -> bool:
    """Whether an encoding (of a stream) can write every character."""
    return (encoding or "").lower().replace("_", "-") in ("utf-8", "utf8", "utf-16", "utf-32")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns a file that cannot be written into an InputError."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", where=str(path)) from error


def pascal_keys(value: Any) -> Any:
    """The same value with `snake_case` keys turned into `PascalCase`, as in every document of the platform."""
    if isinstance(value, Mapping):
        return {"".join(part[:1].upper() + part[1:] for part in key.split("_")): pascal_keys(item) for key, item in value.items()}
    return [pascal_keys(item) for item in value] if isinstance(value, (list, tuple)) else value


def _wire_form(value: Any) -> Any:
    if hasattr(value, "as_dict"):
        return value.as_dict()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


JsonOption = Annotated[bool, typer.Option("--json", help="Write one JSON document to standard output, nothing else.")]
ClientOption = Annotated[
    str | None, typer.Option("--client", metavar="NAME", help="The client (organization); default: the setting 'client'.")
]
ConfigOption = Annotated[
    list[str] | None,
    typer.Option("--config", metavar="KEY=VALUE", help="Override a setting, e.g. aws.region=eu-west-1. May be repeated."),
]
StateDirOption = Annotated[
    Path | None,
    typer.Option("--state-dir", metavar="DIR", help="Folder of the local platform; default: $CORE_STATE_DIR, else .core."),
]

_SHARED: dict[str, tuple[Any, Any]] = {
    "json_mode": (JsonOption, False),
    "client": (ClientOption, None),
    "config": (ConfigOption, None),
    "state_dir": (StateDirOption, None),
}


class OptionGroup:
    """Base of dataclasses whose fields are options; a command that takes one gets all of them."""


def command(app: typer.Typer, name: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a command of `app`.

    The function's first parameter is the `Shell`, which is not an option. A parameter whose type is an `OptionGroup` stands for
    the options that are its fields.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own, groups = _parameters(function)
        shared = [_keyword(key, annotation, default) for key, (annotation, default) in _SHARED.items()]

        def run(**values: Any) -> None:
            given = {key: values.pop(key) for key in _SHARED}
            for parameter, kind in groups.items():
                values[parameter] = kind(**{item.name: values.pop(item.name) for item in fields(cast("Any", kind))})
            guard(lambda: function(_shell(**given), **values), json_mode=given["json_mode"])

        run.__name__ = function.__name__
        run.__doc__ = function.__doc__
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *shared)}
        vars(run)["__signature__"] = inspect.Signature([*own, *shared])
        app.command(name)(run)
        return function

    return register


def _parameters(function: Callable[..., None]) -> tuple[list[inspect.Parameter], dict[str, type[OptionGroup]]]:
    """The parameters of a command as typer shall see them, and which of its own parameters are groups of options."""
    hints = get_type_hints(function, include_extras=True)
    found: list[inspect.Parameter] = []
    groups: dict[str, type[OptionGroup]] = {}
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        kind = hints[parameter.name]
        if isinstance(kind, type) and issubclass(kind, OptionGroup):
            groups[parameter.name] = kind
            members = get_type_hints(kind, include_extras=True)
            found += [_keyword(item.name, members[item.name], item.default) for item in fields(cast("Any", kind))]
        else:
            found.append(_keyword(parameter.name, kind, parameter.default))
    return found, groups


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _shell(*, json_mode: bool, client: str | None, config: Sequence[str] | None, state_dir: Path | None) -> Shell:
    folder = state_dir or default_state_dir()
    os.environ[STATE_DIR_VARIABLE] = str(folder)
    return Shell(json_mode=json_mode, client=client, overrides=read_overrides(config or ()), state_dir=folder)


def read_overrides(pairs: Sequence[str]) -> dict[str, str]:
    """`["aws.region=eu-west-1"]` as a mapping.

    Raises:
        InputError: a pair without a key or without '='.
    """
    overrides: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise InputError(f"'{pair}' is not KEY=VALUE", where="--config", hint="e.g. --config aws.region=eu-west-1")
        overrides[key.strip()] = value
    return overrides


def guard(action: Callable[[], None], *, json_mode: bool) -> None:
    """Run `action`; errors become a message and an exit code, never a traceback."""
    try:
        action()
    except CoreError as error:
        report(error.as_dict(), exit_code_of(error), json_mode=json_mode)
    except KeyboardInterrupt:
        report({"Message": "interrupted"}, ExitCode.INTERRUPTED, json_mode=json_mode)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - the reader is gone; the interpreter still flushes at exit
        raise typer.Exit(int(ExitCode.OK)) from None
    except typer.Exit:
        raise
    except Exception as error:  # noqa: BLE001 - the last door before the user: written to a file in full, told in one line
        report(_unexpected(error), ExitCode.INTERNAL, json_mode=json_mode)


def report(problem: Mapping[str, str], code: ExitCode, *, json_mode: bool) -> None:
    """Show a problem and end with `code`."""
    show(problem, code, json_mode=json_mode)
    raise typer.Exit(int(code))


def show(problem: Mapping[str, str], code: ExitCode, *, json_mode: bool) -> None:
    """Show a problem. People get four lines at most, scripts one JSON document."""
    plain = {key: harmless(value) for key, value in problem.items()}
    if json_mode:
        print(to_json({"Error": plain, "ExitCode": int(code)}))
    else:
        print(_for_people(plain), file=sys.stderr)


def _for_people(problem: Mapping[str, str]) -> str:
    title = "Error " + problem["Code"] if "Code" in problem else "Error"
    if problem.get("Message") == "interrupted":
        return "Interrupted."
    lines = [f"{title}: {problem.get('Message', '')}"]
    for label, key in (("where", "Where"), ("hint", "Hint"), ("log", "Log")):
        if problem.get(key):
            lines.append(f"  {label}: {problem[key]}")
    return "\n".join(lines)


def _unexpected(error: Exception) -> dict[str, str]:
    from cli.crash_log import write_crash

    return {
        "Code": CoreError.code,
        "Message": f"unexpected {type(error).__name__}: {str(error)[:300]}",
        "Hint": "this is a fault of the platform; the log file has the details",
        "Log": str(write_crash(error, default_state_dir())),
    }
