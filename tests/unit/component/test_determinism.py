"""The same package becomes the same bytes: in another process, under another locale, hash seed, and order of files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from core_lib.component.library import builtin_catalogue
from tests.builders.components import example_files

ROOT = Path(__file__).parents[3]


def written(folder: Path, *, backwards: bool) -> Path:
    """The example of every type as a package of its own; `backwards`: files are made in the opposite order."""
    for name, kind in in_order(builtin_catalogue().types.items(), backwards=backwards):
        for path, body in in_order(example_files(kind).items(), backwards=backwards):
            place = folder / name.replace("::", "-") / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(body if isinstance(body, bytes) else body.encode())
    return folder


def in_order(items: Iterable[Any], *, backwards: bool) -> list[Any]:
    found = sorted(items, key=str)
    return found[::-1] if backwards else found


def digests(folder: Path, **environment: str) -> list[str]:
    """The digests of all packages, as another process finds them."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHON", "TZ"))}
    command = [sys.executable, "-m", "tests.unit.component.digests", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=kept | environment, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


@pytest.mark.slow
def test_compile_when_seed_locale_zone_and_order_of_files_differ_then_the_bytes_are_the_same(tmp_path: Path) -> None:
    forwards, backwards = written(tmp_path / "a", backwards=False), written(tmp_path / "b", backwards=True)
    here = digests(forwards, PYTHONHASHSEED="1", LC_ALL="C.UTF-8", TZ="UTC")
    there = digests(backwards, PYTHONHASHSEED="4711", LC_ALL="C", PYTHONUTF8="0", TZ="Asia/Tokyo")
    assert len(here) == len(builtin_catalogue().types)
    assert here == there


def test_compile_of_one_package_when_the_hash_seed_differs_then_the_bytes_are_the_same(tmp_path: Path) -> None:
    for path, body in example_files(builtin_catalogue().types["AWS::Serverless"]).items():
        place = tmp_path / "package" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body if isinstance(body, bytes) else body.encode())
    assert digests(tmp_path, PYTHONHASHSEED="1") == digests(tmp_path, PYTHONHASHSEED="2", LC_ALL="C", PYTHONUTF8="0")
