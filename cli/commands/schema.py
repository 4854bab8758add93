"""`core schema`: JSON Schema of every document, for editors and other tools."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cli.shell import Shell, command, to_json
from core_lib.framework.errors import InputError, UnknownKindError


class Document(StrEnum):
    """Documents that have a schema."""

    DEPLOYSPEC = "deployspec"
    PAYLOAD = "payload"
    ACTION = "action"
    PLAN = "plan"
    FACTS = "facts"
    RUN = "run"
    REVIEW = "review"
    SUMMARY = "summary"
    COMPONENTS = "components"
    VARS = "vars"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "schema")(schema)


def schema(
    shell: Shell,
    document: Annotated[Document, typer.Argument(help="Which document.")],
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help="For 'action': the kind, e.g. AWS::CreateStack.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="For 'components': one type only, e.g. AWS::DynamoDB.")] = None,
) -> None:
    """Print a JSON Schema: deployspec (with the parameters of every action kind), components (with all types), payload, ..."""
    from cli.schemas import action_schema, document_schema, type_schema

    if type_ is not None and document is not Document.COMPONENTS:
        raise InputError(f"'{document.value}' takes no --type", where="--type", hint="core schema components --type NAME")
    if document is Document.ACTION:
        if kind is None:
            raise InputError("schema action needs a kind", where="KIND", hint="e.g. core schema action AWS::CreateStack")
        try:
            found = action_schema(kind)
        except UnknownKindError as error:
            raise UnknownKindError(error.message, where="KIND", hint=error.hint) from error
        shell.emit(found, to_json(found))
        return
    if kind is not None:
        raise InputError(f"'{document.value}' takes no kind", where=kind)
    found = document_schema(document.value) if type_ is None else type_schema(type_)
    shell.emit(found, to_json(found))
