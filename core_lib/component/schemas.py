"""JSON Schema of files of components and of vars, for editors.

Made from the types' folders and from CloudFormation's own schemas. Written for the YAML language server: nothing newer than
draft 7 is needed to understand it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from core_lib.component.functions import FUNCTIONS, PREFIX
from core_lib.component.library import Catalogue, ComponentType, EntryRule
from core_lib.component.property_schemas import EXPRESSION, FUNCTION, PropertySchemas, Schema, described, value

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAME = "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
_ANYTHING = "*"
_TEXTS: Schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_MAP: Schema = {"anyOf": [{"type": "object"}, {"type": "null"}]}
_CLOUDFORMATION = (
    "Ref", "Fn::Base64", "Fn::Cidr", "Fn::FindInMap", "Fn::GetAZs", "Fn::GetAtt", "Fn::If", "Fn::ImportValue", "Fn::Join",
    "Fn::Length", "Fn::Select", "Fn::Split", "Fn::Sub", "Fn::ToJsonString", "Fn::Transform",
)  # fmt: skip
_POLICIES: Mapping[str, Schema] = {
    "CreationPolicy": _MAP,
    "UpdatePolicy": _MAP,
    "DeletionPolicy": {"enum": ["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"]},
    "UpdateReplacePolicy": {"enum": ["Delete", "Retain", "Snapshot"]},
}


def component_schema(type_: ComponentType) -> Schema:
    """The schema of one component of a type."""
    made = PropertySchemas()
    names = [type_.name, *(alias.type for alias in type_.file.aliases)]
    return {"$schema": DIALECT, "title": type_.name, **_component(type_, names, made), "$defs": _definitions(made)}


def components_schema(catalogue: Catalogue) -> Schema:
    """The schema of a whole file of components, with all types of a catalogue."""
    made = PropertySchemas()
    cases: list[Schema] = []
    for name, type_ in sorted(catalogue.types.items()):
        names = [name, *(alias.type for alias in type_.file.aliases)]
        made.definitions[f"type.{name.replace('::', '.')}"] = _component(type_, names, made)
        cases.append(
            {
                "if": {"properties": {"Type": {"enum": names}}, "required": ["Type"]},
                "then": {"$ref": f"#/$defs/type.{name.replace('::', '.')}"},
            }
        )
    component = {
        "type": "object",
        "required": ["Type"],
        "properties": {"Type": {"enum": list(catalogue.names), "description": "What it is: `core component list` shows all."}},
        "allOf": cases,
    }
    return {
        "$schema": DIALECT,
        "title": "Components",
        "description": "Components by name.",
        "type": "object",
        "patternProperties": {_NAME: {"$ref": "#/$defs/Component"}},
        "additionalProperties": False,
        "$defs": {"Component": component, **_definitions(made)},
    }


def vars_schema() -> Schema:
    """The schema of a file of vars."""
    default = {"type": ["object", "null"], "description": "Values for every branch."}
    match = {"type": "string", "description": "Instead of the name: a regular expression that fits the branch's beginning."}
    section = {
        "type": ["object", "null"],
        "description": "Values for the branch of this name; `release-*` is every branch that begins so.",
        "properties": {"match": match},
    }
    return {
        "$schema": DIALECT,
        "title": "Vars",
        "type": "object",
        "properties": dict.fromkeys(("_defaults", "_default", "defaults", "default"), default),
        "additionalProperties": section,
    }


def _definitions(made: PropertySchemas) -> Schema:
    return {
        "Expression": {"type": "string", "pattern": r"\{[{%]", "description": "A value that is rendered: {{ vars.Size }}"},
        "Function": _function(),
        "Text": value({"type": ["string", "number", "boolean"]}),
        **dict(sorted(made.definitions.items())),
    }


def _function() -> Schema:
    """A map whose only key is a function of CloudFormation or of ours."""
    known: Schema = {name: {} for name in _CLOUDFORMATION}
    for name, function in sorted(FUNCTIONS.items()):
        arguments = {each.name: described(_argument(each.choices), each.purpose) for each in function.arguments}
        required = [each.name for each in function.arguments if each.required]
        whole = {"type": "object", "properties": arguments, "required": required, "additionalProperties": False}
        known[f"{PREFIX}{name}"] = described({"anyOf": [{"type": ["string", "boolean", "number"]}, whole]}, function.purpose)
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": known,
        "patternProperties": {"^Fn::": {}},
        "additionalProperties": False,
    }


def _argument(choices: tuple[str, ...]) -> Schema:
    return value({"enum": list(choices)}) if choices else {}


def _component(type_: ComponentType, names: list[str], made: PropertySchemas) -> Schema:
    file = type_.file
    configuration = _configuration(type_, made)
    options = {name: described(_free(schema), None) for name, schema in type_.options.items() if name != _ANYTHING}
    schema: Schema = {
        "type": "object",
        "description": file.purpose,
        "required": ["Type", *(["Configuration"] if _is_needed(type_) else [])],
        "additionalProperties": False,
        "properties": {
            "Type": described({"enum": names}, file.purpose),
            "DependsOn": described(_TEXTS, "Components that must be there first."),
            "Persist": described(value({"type": "boolean"}), "Use the resources of the released build instead of new ones."),
            "PersistUpdateVersion": described(
                {"type": ["string", "integer"]}, "The build whose resources are updated in place, when they persist."
            ),
            "Options": {"type": ["object", "null"], "properties": options, "additionalProperties": _ANYTHING in type_.options},
            "Configuration": configuration,
        },
    }
    return schema


def _is_needed(type_: ComponentType) -> bool:
    return any(type_.file.configuration[name].bounds[0] > 0 for name in type_.single_keys)


def _configuration(type_: ComponentType, made: PropertySchemas) -> Schema:
    rules = type_.file.configuration
    required = [name for name in type_.single_keys if rules[name].bounds[0] > 0]
    schema: Schema = {
        "type": "object" if required else ["object", "null"],
        "description": "Its resources.",
        "properties": {name: _entry(type_, rules[name], made) for name in type_.single_keys},
        "patternProperties": {_key_pattern(type_, name): _entry(type_, rules[name], made) for name in type_.patterns},
        "additionalProperties": False,
    }
    whole = {**schema, "required": required} if required else schema
    direct = type_.direct_key
    return whole if direct is None else {"anyOf": [whole, _direct_entry(type_, rules[direct], made)]}


def _direct_entry(type_: ComponentType, rule: EntryRule, made: PropertySchemas) -> Schema:
    """The parts of an entry where its key is left out: its Pipeline::Security may stand among its Properties."""
    entry = _entry_map(type_, rule, made)
    properties = entry["properties"]["Properties"]
    security = {"Pipeline::Security": _security(type_, rule)}
    inner = {**properties, "type": "object", "properties": {**properties["properties"], **security}}
    return {**entry, "type": "object", "required": ["Properties"], "properties": {**entry["properties"], "Properties": inner}}


def _key_pattern(type_: ComponentType, pattern: str) -> str:
    """Keys that end so, without those that have a rule of their own."""
    own = [f"{re.escape(key)}$" for key in type_.single_keys if key.endswith(pattern[1:])]
    longer = [f".*{re.escape(each[1:])}$" for each in type_.patterns if each != pattern and each.endswith(pattern[1:])]
    excluded = f"(?!{'|'.join([*own, *longer])})" if own or longer else ""
    return f"^{excluded}.*{re.escape(pattern[1:])}$"


def _entry(type_: ComponentType, rule: EntryRule, made: PropertySchemas) -> Schema:
    whole = _entry_map(type_, rule, made)
    if not rule.plain:
        return whole
    return described({"anyOf": [_free(rule.extra.get("Value", {})), whole]}, rule.purpose)


def _entry_map(type_: ComponentType, rule: EntryRule, made: PropertySchemas) -> Schema:
    properties: Schema = {
        "Properties": _properties(rule, made),
        "Metadata": _MAP,
        **{name: schema if schema is _MAP else value(schema) for name, schema in _POLICIES.items()},
        "Pipeline::Link": described(
            {"type": ["object", "null"], "additionalProperties": {}},
            "Values of other components, by the name that this one sees.",
        ),
        "Pipeline::Agents": _MAP,
        **{name: _free(rule.extra[name]) for name in rule.beside},
    }
    if rule.security:
        properties["Pipeline::Security"] = _security(type_, rule)
    return {"type": ["object", "null"], "description": rule.purpose, "properties": properties, "additionalProperties": False}


def _properties(rule: EntryRule, made: PropertySchemas) -> Schema:
    known = made.properties_of(rule.resource) if rule.resource else {}
    properties: Schema = dict(known or {})
    if rule.loose:
        properties = {name: described({}, part.get("description")) for name, part in properties.items()}
    properties |= {name: _free(schema) for name, schema in rule.extra.items() if name != _ANYTHING}
    properties |= {name: described({"not": {}}, f"Cannot be set: {why}") for name, why in rule.refused.items() if "." not in name}
    is_open = rule.loose or _ANYTHING in rule.extra or known is None
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": is_open}


def _free(schema: Any) -> Schema:
    """A schema that a type brings, or a function or an expression in its place, at every depth of its properties and items."""
    if not isinstance(schema, Mapping):
        return {} if schema is True else {"not": {}}
    inner = dict(schema)
    description = inner.pop("description", None)
    if isinstance(inner.get("properties"), Mapping):
        inner["properties"] = {name: _free(part) for name, part in inner["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(inner.get(key), Mapping):
            inner[key] = _free(inner[key])
    return described({"anyOf": [inner, FUNCTION, EXPRESSION]} if inner else {}, description)


def _security(type_: ComponentType, rule: EntryRule) -> Schema:
    """One grant or a list of grants."""
    grant = {
        "type": "object",
        "required": ["Source", "Allow"],
        "additionalProperties": False,
        "properties": {
            "Source": described({}, "A component, a security alias, an address range; or a list of these."),
            "Allow": described(_allowed(list(_words(type_, rule))), "What it may do."),
        },
    }
    return {"anyOf": [grant, {"type": "array", "items": grant}, {"type": "null"}], "description": "Who may use it."}


def _words(type_: ComponentType, rule: EntryRule) -> Iterator[str]:
    if "iam" in rule.security:
        yield from type_.file.security.allow
    if {"network", "addresses"} & set(rule.security):
        yield from ("TCP:443", "UDP:53", "ALL:*")


def _allowed(words: list[str]) -> Schema:
    """Any text; the words are what an editor suggests."""
    one: Schema = {"anyOf": [{"enum": words}, {"type": "string"}]} if words else {"type": "string"}
    return {"anyOf": [one, {"type": "array", "items": one}]}
