"""Fn::Pipeline::DockerImage."""

from __future__ import annotations

from typing import Any, ClassVar

from core_lib.component.functions.function import Argument, Call, Function
from core_lib.component.naming import names_of

_CHINA = "cn-"


class DockerImage(Function):
    """A container image by its alias or name."""

    name = "DockerImage"
    purpose = (
        "The address of a container image: an alias of the fact `DockerImageAliases`, or a name in the registry of the fact "
        "`EcrRegistry` (else the account's own). Without a Name the image that the build makes for the component."
    )
    arguments = (
        Argument("Name", "Alias or name; with a registry in front (`public.ecr.aws/...`) it is taken as it is."),
        Argument("Component", "Whose image is meant when there is no Name; the component itself unless written."),
    )
    example: ClassVar[Any] = {"Name": "nginx"}

    def value(self, call: Call) -> str:
        """`registry/name[:tag]`."""
        name = call.text("Name") if "Name" in call else self._made(call)
        image = str((call.facts.get("DockerImageAliases") or {}).get(name, name))
        return image if _has_registry(image) else f"{self._registry(call)}/{image}"

    def _made(self, call: Call) -> str:
        """`private/{portfolio}-{app}-{branch}-{build}-{component}`."""
        component = call.other(call.text("Component")) if "Component" in call else call.component
        build = component.persist_update_version or call.fact("Build")
        return f"private/{names_of(call.facts, component.name, build).build}"

    def _registry(self, call: Call) -> str:
        given = call.facts.get("EcrRegistry")
        if given is not None:
            return str(given).rstrip("/")
        region = call.fact("AwsRegion")
        ending = "amazonaws.com.cn" if region.startswith(_CHINA) else "amazonaws.com"
        return f"{call.fact('AwsAccountId')}.dkr.ecr.{region}.{ending}"


def _has_registry(image: str) -> bool:
    """As Docker tells: the part before the first slash is a host when it has a dot or a port, or is localhost."""
    host, slash, _ = image.partition("/")
    return bool(slash) and ("." in host or ":" in host or host == "localhost")
