"""cfn-lint over the templates of a build: each distinct content once. What a type accepts, with its reason, is no finding."""

from __future__ import annotations

from core_lib.component.building import Built
from core_lib.component.plans import template_bytes
from core_lib.deployspec import CompileWarning, Linter
from core_lib.framework.errors import TemplateError

_MOST_SHOWN = 20


def lint(built: Built, linter: Linter, region: str) -> list[CompileWarning]:
    """The warnings about all templates.

    Raises:
        TemplateError: cfn-lint finds an error; tells the component and the stage.
    """
    warnings: list[CompileWarning] = []
    errors: list[tuple[str, str]] = []
    for name, compiled in built.components.items():
        accepted = compiled.component.type.file.lint
        for stage, template in compiled.stages.items():
            for finding in linter.lint(template_bytes(template), [region]):
                if finding.rule in accepted or finding.level == "informational":
                    continue
                place, text = compiled.component.locate(()), f"{name}.{stage}: {finding.rule} {finding.message}"
                if finding.level == "error":
                    errors.append((place, text))
                else:
                    warnings.append(CompileWarning(place, text))
    if errors:
        where, first = errors[0]
        more = "".join(f"\n  {text}" for _, text in errors[1:_MOST_SHOWN])
        raise TemplateError(f"cfn-lint: {first}{more}", where=where)
    return warnings
