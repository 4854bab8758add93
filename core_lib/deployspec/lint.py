"""cfn-lint over the templates of a plan: each distinct content once, remembered by content in a folder if one is given.

cfn-lint takes seconds to load, so it is loaded only when a template's findings are not known yet. It sees the template alone: no
configuration file of the machine, and of the template's own cfn-lint metadata only what switches checks on and off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, cast

from core_lib.framework.codecs import canonical_json, sha256_hex

_FORMAT = 2
_NEUTRAL_CONFIG = Path(__file__).with_name("cfnlint.yaml")
_TEMPLATE_SETTINGS = ("ignore_checks", "include_checks", "configure_rules")

Level = Literal["error", "warning", "informational"]


@dataclass(frozen=True)
class Finding:
    """One finding of cfn-lint: the rule, how bad, the line (from 1) and the words."""

    rule: str
    level: Level
    line: int
    message: str


class Linter:
    """Lints templates. `cache` is a folder for findings by content; None keeps them for the life of this object."""

    def __init__(self, cache: Path | None = None) -> None:
        self._folder = cache
        self._known: dict[str, tuple[Finding, ...]] = {}

    def lint(self, content: bytes, regions: Iterable[str]) -> tuple[Finding, ...]:
        """Findings for a template that goes to these regions, in line order."""
        places = sorted(set(regions))
        key = sha256_hex(canonical_json([_FORMAT, _version(), sha256_hex(content), places]))
        found = self._known.get(key)
        if found is None:
            found = self._remembered(key)
            if found is None:
                found = _run(content.decode("utf-8-sig"), places)
                self._remember(key, found)
            self._known[key] = found
        return found

    def _remembered(self, key: str) -> tuple[Finding, ...] | None:
        if self._folder is None:
            return None
        try:
            return tuple(Finding(**entry) for entry in json.loads((self._folder / f"{key}.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _remember(self, key: str, findings: Sequence[Finding]) -> None:
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f".{key}.{os.getpid()}"
        draft.write_text(canonical_json([asdict(finding) for finding in findings]))
        draft.replace(self._folder / f"{key}.json")


@cache
def _version() -> str:
    return version("cfn-lint")


def _run(text: str, regions: list[str]) -> tuple[Finding, ...]:
    from cfnlint.config import ConfigMixIn
    from cfnlint.decode.decode import decode_str
    from cfnlint.helpers import REGION_PRIMARY, REGIONS
    from cfnlint.runner import run_template_by_data

    template, matches = decode_str(text)
    if not matches:
        _keep_switches_only(template)
        known = [region for region in regions if region in REGIONS] or [REGION_PRIMARY]
        config = ConfigMixIn([], config_file=str(_NEUTRAL_CONFIG), regions=known)
        try:
            matches = list(run_template_by_data(template, config, _rules()))
        except Exception as error:  # noqa: BLE001 - cfn-lint stumbles over shapes that it does not expect, in any way
            return (Finding("E0002", "error", 1, f"the template has a shape that cfn-lint cannot check ({_reason(error)})"),)
    findings = {Finding(match.rule.id, cast("Level", match.rule.severity), match.linenumber, match.message) for match in matches}
    return tuple(sorted(findings, key=lambda finding: (finding.line, finding.rule, finding.message)))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"


@cache
def _rules() -> Any:
    from cfnlint.core import _DEFAULT_RULESDIR
    from cfnlint.rules import Rules

    return Rules.create_from_directory(_DEFAULT_RULESDIR)


def _keep_switches_only(template: Any) -> None:
    """Drop what a template's metadata could use to make cfn-lint read other files."""
    metadata = template.get("Metadata") if isinstance(template, dict) else None
    if not isinstance(metadata, dict) or "cfn-lint" not in metadata:
        return
    settings = metadata["cfn-lint"]
    config = settings.get("config") if isinstance(settings, dict) else None
    kept = {key: config[key] for key in _TEMPLATE_SETTINGS if key in config} if isinstance(config, dict) else {}
    metadata["cfn-lint"] = {"config": kept}
