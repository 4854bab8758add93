"""Fn::Pipeline::S3BucketName."""

from __future__ import annotations

from typing import Any, ClassVar

from core_lib.component.functions.function import Argument, Call, Function
from core_lib.component.functions.outputs import BUILD, built, outputs_of
from core_lib.component.naming import bucket_name, names_of

_OUTPUT = "BucketName"


class S3BucketName(Function):
    """The name that the platform gives a component's bucket."""

    name = "S3BucketName"
    purpose = (
        "The name that the platform gives the bucket of a component. It is known before the bucket is there, so that "
        "nobody waits for it; only that of another component that persists is read from what is there."
    )
    arguments = (
        Argument(
            "Scope",
            "`build`: each build has its bucket; `branch`: all builds of the branch share one.",
            choices=(BUILD, "branch"),
        ),
        Argument("Component", "Name of the component; the component itself unless written."),
    )
    example: ClassVar[Any] = {"Scope": "branch"}

    def value(self, call: Call) -> Any:
        """The name."""
        component = call.other(call.text("Component")) if "Component" in call else call.component
        scope = call.text("Scope", BUILD)
        if scope == BUILD and component.persist and component.name != call.component.name and _OUTPUT in outputs_of(component):
            return built(call, component.name, _OUTPUT)
        names = names_of(call.facts, component.name, component.persist_update_version or call.fact("Build"))
        base = names.build if scope == BUILD else names.branch
        return bucket_name(base, call.fact("AwsAccountId"), call.fact("AwsRegion"))
