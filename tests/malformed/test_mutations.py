"""The baseline example, spoiled at random: every door takes what comes out, or refuses it properly. Nothing else may happen."""
# ruff: noqa: E501 - lists of scraps

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core_lib.framework.codecs import dump_yaml, load_yaml
from core_lib.framework.models import Task, TaskPayload
from core_lib.framework.package import Package
from core_lib.framework.package_sources import open_package, read_archive
from tests.malformed import archives, doors
from tests.malformed.case import holds_or_refuses
from tests.malformed.test_payloads import GOOD

BASELINE: dict[str, bytes] = dict(open_package(doors.BASELINE).files)
SPEC = BASELINE["deployspec.yaml"]
TEMPLATE = BASELINE["templates/alarms.yaml"]
REGISTRY = BASELINE["registry.yaml"] + b"\n" + BASELINE["accounts.yaml"]
BOOK = doors.registry(REGISTRY)
REQUEST = TaskPayload.model_validate(
    {"Client": "acme", "Task": Task.DEPLOY,
     "DeploymentDetails": {"Portfolio": "platform", "App": "baseline", "Branch": "main", "Build": "1"}}
)  # fmt: skip
FACTS = BOOK.facts(REQUEST)

many = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))

SCRAPS = st.sampled_from(
    ["", " ", "\n", "\t", ":", ": ", "-", "- ", "{", "}", "[", "]", "{{", "}}", "{% for", "%}", "&a", "*a", "<<: ", "!Ref ", "!Sub ",
     "|", ">", "'", '"', "#", "~", "null", "true", "0", "-1", "1e999", ".nan", "\u00e9", "\u202e", "\x00", "\x1b[31m", "*", "?", "%",
     "@", "../", "/etc/passwd", "{{ outputs.hub.X }}", "{{ vars.x }}", "{{ ''.__class__ }}", "999999999999", "eu-west-1", "Name",
     "Kind", "Actions"]
)  # fmt: skip


@st.composite
def spoiled_bytes(draw: st.DrawFn, source: bytes) -> bytes:
    """The text with up to four places cut out, doubled or replaced."""
    body = bytearray(source)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 30)))
        piece = draw(st.one_of(SCRAPS.map(str.encode), st.binary(max_size=6), st.just(bytes(body[start:end]) * 2)))
        body[start:end] = piece
    return bytes(body)


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.just(10**30), st.floats(), SCRAPS, st.text(max_size=6), st.just([]),
    st.just({}), st.just([[]]), st.just([None]), st.just({"": None}), st.just({"Name": {"Name": []}}), st.lists(SCRAPS, max_size=3),
    st.dictionaries(SCRAPS, SCRAPS, max_size=3),
)  # fmt: skip


@st.composite
def spoiled_tree(draw: st.DrawFn, source: Any) -> Any:
    """The data with up to three of its parts replaced, renamed, doubled or taken out."""
    tree = copy.deepcopy(source)
    for _ in range(draw(st.integers(1, 3))):
        place = tree
        while isinstance(place, (dict, list)) and place:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], (dict, list)) or not place[key] or draw(st.integers(0, 3)) == 0:
                _spoil(draw, place, key)
                break
            place = place[key]
    return tree


def _spoil(draw: st.DrawFn, place: Any, key: Any) -> None:
    match draw(st.sampled_from(["replace", "remove", "rename", "double", "wrap"])):
        case "replace":
            place[key] = copy.deepcopy(draw(ODD))
        case "remove":
            del place[key]
        case "rename" if isinstance(place, dict):
            place[draw(SCRAPS) + str(key)] = place.pop(key)
        case "double" if isinstance(place, list):
            place.append(copy.deepcopy(place[key]))
        case _:
            place[key] = [place[key]]


def compiles(files: dict[str, bytes]) -> Callable[[], object]:
    """The compile of a package with these files instead of the example's."""

    def action() -> object:
        package = Package.from_files(BASELINE | files)
        return doors.compile_deployspec(REQUEST, package=package, facts=FACTS, accounts=BOOK.accounts, linter=None)

    return action


def test_example_when_nothing_is_spoiled_then_it_compiles() -> None:
    assert compiles({})()


@given(spoiled_bytes(SPEC))
@many
def test_deployspec_when_its_text_is_spoiled_then_it_compiles_or_is_refused(text: bytes) -> None:
    holds_or_refuses(compiles({"deployspec.yaml": text}))


@given(spoiled_tree(load_yaml(SPEC, "deployspec.yaml").data))
@many
def test_deployspec_when_its_data_is_spoiled_then_it_compiles_or_is_refused(tree: Any) -> None:
    holds_or_refuses(lambda: compiles({"deployspec.yaml": dump_yaml(tree).encode()})())


@given(spoiled_bytes(TEMPLATE))
@many
def test_template_when_its_text_is_spoiled_then_it_compiles_or_is_refused(text: bytes) -> None:
    holds_or_refuses(compiles({"templates/alarms.yaml": text}))


@given(spoiled_tree(load_yaml(TEMPLATE, "alarms.yaml").data))
@many
def test_template_when_its_data_is_spoiled_then_it_compiles_or_is_refused(tree: Any) -> None:
    holds_or_refuses(lambda: compiles({"templates/alarms.yaml": dump_yaml(tree).encode()})())


@given(spoiled_bytes(REGISTRY))
@many
def test_registry_when_its_text_is_spoiled_then_it_is_read_or_refused(text: bytes) -> None:
    holds_or_refuses(lambda: doors.registry(text).facts(REQUEST))


@given(spoiled_tree(load_yaml(REGISTRY, "registry.yaml").data))
@many
def test_registry_when_its_data_is_spoiled_then_it_is_read_or_refused(tree: Any) -> None:
    holds_or_refuses(lambda: doors.registry(dump_yaml(tree)).facts(REQUEST))


@given(spoiled_bytes(json.dumps(GOOD).encode()))
@many
def test_payload_when_its_text_is_spoiled_then_it_is_read_or_refused(text: bytes) -> None:
    holds_or_refuses(lambda: doors.read_payload(text))


FULL = GOOD | {
    "Targets": {"Accounts": ["a"], "Tags": {"tier": ["1"]}, "Regions": ["eu-west-1"], "Exclude": {"Accounts": ["b"]}},
    "Options": {"Tolerance": "5%", "Concurrency": 4, "WhenLocked": "wait"},
    "Facts": {"A": {"B": [1]}},
    "CorrelationId": "release-42",
}


@given(spoiled_tree(FULL))
@many
def test_payload_when_its_data_is_spoiled_then_it_is_read_or_refused(tree: Any) -> None:
    holds_or_refuses(lambda: doors.read_payload(json.dumps(tree)))


@given(st.sampled_from([archives.zipped("a/b.yaml"), archives.tarred(archives.member("a/b.yaml")),
                        archives.tarred(archives.member("a.txt"), packed=False)]).flatmap(spoiled_bytes))  # fmt: skip
@many
def test_archive_when_its_bytes_are_spoiled_then_it_is_read_or_refused(content: bytes) -> None:
    holds_or_refuses(lambda: read_archive(content, "p.zip"))


@given(st.binary(max_size=200))
@many
def test_bytes_when_they_are_anything_then_every_door_reads_or_refuses_them(content: bytes) -> None:
    holds_or_refuses(compiles({"deployspec.yaml": content}))
    holds_or_refuses(lambda: doors.registry(content))
    holds_or_refuses(lambda: doors.read_payload(content))
    for head in (b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\x00"):
        holds_or_refuses(lambda head=head: read_archive(head + content, "p.zip"))
