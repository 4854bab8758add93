"""JSON Schema of every document, made from the models that validate them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from cli.registry_file import RegistryFile
from core_lib.component.library import builtin_catalogue
from core_lib.component.schemas import component_schema, components_schema, vars_schema
from core_lib.execute import canonical_kind, catalogue, json_schema
from core_lib.framework.models import ActionSpec, Plan, RunState, Selection, TaskPayload, Wave
from core_lib.report import PlanReview, RunSummary

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENTS: dict[str, str] = {
    "deployspec": "deployspec.yaml and its siblings, with the parameters of every action kind",
    "payload": "a task payload, as the API, the Prefect UI and webhooks take it",
    "plan": "a compiled plan (`core compile --out`)",
    "facts": "a registry file (`core registry import`, `--registry`)",
    "run": "the record of a run",
    "review": "what a plan run found (`core plan --json`)",
    "summary": "what a run did (`core deploy --json`, `core runs show --json`)",
    "components": "a file of `platform/components`, with all component types; `--type AWS::DynamoDB` prints one component's",
    "vars": "a file of `platform/vars`",
}
_MODELS: dict[str, type[BaseModel]] = {
    "payload": TaskPayload,
    "plan": Plan,
    "facts": RegistryFile,
    "run": RunState,
    "review": PlanReview,
    "summary": RunSummary,
}
_EXPRESSION = {"type": "string", "pattern": r"\{[{%]"}
_TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_ONE_OR_MANY = ("Accounts", "OrganizationalUnits", "Regions")

Schema = dict[str, Any]


def document_schema(name: str) -> Schema:
    """The schema of one of `DOCUMENTS`."""
    if name == "deployspec":
        return deployspec_schema()
    if name == "components":
        return components_schema(builtin_catalogue())
    if name == "vars":
        return vars_schema()
    mode: Any = "validation" if name in ("payload", "facts") else "serialization"
    return {"$schema": DIALECT} | _MODELS[name].model_json_schema(by_alias=True, mode=mode)


def action_schema(kind: str) -> Schema:
    """The schema of a kind's `Spec`, in any accepted spelling of the kind.

    Raises:
        UnknownKindError: there is no such kind.
    """
    name = canonical_kind(kind)
    return {"$schema": DIALECT, "title": name} | _without_title(json_schema(name))


def type_schema(name: str) -> Schema:
    """The schema of one component of a type; an alias will do.

    Raises:
        CompileError: there is no such type.
    """
    return component_schema(builtin_catalogue().find(name)[0])


def deployspec_schema() -> Schema:
    """One schema for a whole spec file: its frame, and for each kind of action what its `Spec` may hold."""
    definitions: Schema = {}
    wave = _taken_apart(Wave, definitions)
    action = _taken_apart(ActionSpec, definitions)
    selection = _taken_apart(Selection, definitions)
    _accept_shorthand(action["properties"])
    _accept_single_values(selection["properties"])
    _accept_single_values(definitions["Exclusion"]["properties"])
    definitions |= {"Selection": selection, "Wave": wave}
    definitions["Gate"]["properties"]["Alarm"] = dict(_TEXTS)
    _accept_expressions(wave)
    action["properties"]["Kind"] = {"anyOf": [{"enum": list(catalogue())}, {"type": "string"}], "description": "What it does."}
    action["properties"]["Parameters"] = {"$ref": "#/$defs/Layers"}
    action["allOf"] = [_for_kind(kind, definitions) for kind in catalogue()]
    definitions |= {"Action": action, "Layers": _layers()}
    actions = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Action"}}
    whole = {
        "type": "object",
        "additionalProperties": False,
        "required": ["Actions"],
        "properties": {
            "Targets": {"$ref": "#/$defs/Selection"},
            "Waves": {"type": "array", "items": {"$ref": "#/$defs/Wave"}},
            "Parameters": {"$ref": "#/$defs/Layers"},
            "Actions": actions,
        },
    }
    return {"$schema": DIALECT, "title": "DeploySpec", "$defs": definitions, "anyOf": [whole, actions]}


def _taken_apart(model: type[BaseModel], definitions: Schema) -> Schema:
    schema = model.model_json_schema(by_alias=True)
    definitions |= schema.pop("$defs", {})
    return schema


def _accept_shorthand(properties: Schema) -> None:
    """What the model's validators accept beyond its types: one name instead of a list, a name instead of a dependency."""
    one = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Dependency"}]}
    properties["DependsOn"] = {"anyOf": [one, {"type": "array", "items": one}]}
    for name in ("After", "Before"):
        properties[name] = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    properties["Targets"] = {"$ref": "#/$defs/Selection"}


def _accept_single_values(properties: Schema) -> None:
    for name in _ONE_OR_MANY:
        if name in properties:
            properties[name] = dict(_TEXTS)
    if "Tags" in properties:
        properties["Tags"] = {"type": "object", "additionalProperties": dict(_TEXTS)}


def _accept_expressions(schema: Schema) -> None:
    """Any value may be an expression instead."""
    schema["properties"] = {name: {"anyOf": [item, _EXPRESSION]} for name, item in schema.get("properties", {}).items()}


def _layers() -> Schema:
    values = {"type": "object"}
    by_name = {"type": "object", "additionalProperties": values}
    return {
        "type": "object",
        "description": "Parameters by layer; the most specific one wins.",
        "additionalProperties": False,
        "properties": {"Common": values, "OrganizationalUnits": by_name, "Accounts": by_name, "AccountRegions": by_name},
    }


def _for_kind(kind: str, definitions: Schema) -> Schema:
    """`if` this kind, `then` its spec; every value may be an expression instead."""
    schema = _without_title(json_schema(kind))
    prefix = kind.replace("::", ".")
    inner = schema.pop("$defs", {})
    definitions |= {f"{prefix}.{name}": _renamed(item, prefix) for name, item in inner.items()}
    spec = _renamed(schema, prefix)
    _accept_expressions(spec)
    required = {"required": ["Spec"]} if spec.get("required") else {}
    return {
        "if": {"properties": {"Kind": {"const": kind}}, "required": ["Kind"]},
        "then": {"properties": {"Spec": spec}} | required,
    }


def _renamed(schema: Any, prefix: str) -> Any:
    """The schema with its references led to the definitions of this kind."""
    if isinstance(schema, Mapping):
        return {
            key: f"#/$defs/{prefix}.{value.rsplit('/', 1)[-1]}" if key == "$ref" else _renamed(value, prefix)
            for key, value in schema.items()
        }
    return [_renamed(item, prefix) for item in schema] if isinstance(schema, list) else schema


def _without_title(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "title"}
