"""AWS::RunCodeBuild."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import name_in_arn
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Cause, Message, Target

TOKEN_VARIABLE = "CORE_TOKEN"  # noqa: S105 - the name of a variable
_CAUSES = {"FAULT": Cause.TRANSIENT, "TIMED_OUT": Cause.TIMEOUT}


class Variable(Message):
    """An environment variable that CodeBuild reads from elsewhere."""

    value: str = Field(description="Name of the parameter or secret")
    type: Literal["PARAMETER_STORE", "SECRETS_MANAGER"] = Field(description="Where CodeBuild reads it")


class RunCodeBuildParams(Message):
    """Which project, and what is different for this build."""

    project_name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{1,149}$", description="Name of the project")
    source_version: str | None = Field(default=None, description="Commit, branch or version to build")
    environment_variables: dict[str, str | Variable] = Field(
        default_factory=dict, description="Variables of this build: a text, or Value and Type of what CodeBuild reads itself"
    )
    buildspec: str | None = Field(default=None, description="Another buildspec than the project's")
    region: str | None = Field(default=None, description="Region of the project; default: that of the target")


Context = ActionContext[RunCodeBuildParams]


class RunCodeBuild(Action[RunCodeBuildParams]):
    """Runs a build to its end. CodeBuild keeps tokens for five minutes only, so a build carries its token as a variable too."""

    kind = "AWS::RunCodeBuild"
    purpose = "Starts a build of a CodeBuild project, waits for its end and keeps the variables it exports."
    permissions = (
        "codebuild:StartBuild", "codebuild:BatchGetBuilds", "codebuild:StopBuild", "codebuild:ListBuildsForProject",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html"
    Params = RunCodeBuildParams
    outputs: ClassVar[Mapping[str, str]] = {
        "BuildId": "id of the build",
        "Logs": "link to its log",
        "Variables": "the variables it exports, by name",
    }
    example: ClassVar[Mapping[str, Any]] = {
        "ProjectName": "smoke-tests",
        "EnvironmentVariables": {
            "ADDRESS": "{{ outputs.web.Address }}",
            "PIN": {"Value": "/shop/pin", "Type": "PARAMETER_STORE"},
        },
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The project."""
        region = params.get("Region") or target.region
        project = name_in_arn(params, "ProjectName")
        return {"codebuild:*": (f"arn:{partition}:codebuild:{region}:{target.account}:project/{project}",)}

    def start(self, ctx: Context) -> Step:
        """Find the build that an earlier try started, or start one."""
        client = self._client(ctx)
        token = ctx.token("build")
        build = _started_before(client, ctx.params.project_name, token)
        if build is None:
            build = client.start_build(**_request(ctx.params, token))["build"]["id"]
        return Again(scratch={"build": build})

    def check(self, ctx: Context) -> Step:
        """Where does it stand?"""
        build = self._build(ctx)
        if build is None:
            return Failed(f"the build {ctx.scratch['build']} is gone")
        status, link = build["buildStatus"], build.get("logs", {}).get("deepLink", "")
        if status == "IN_PROGRESS":
            return Again()
        if status != "SUCCEEDED":
            return Failed(
                f"the build {build['id']} ended {status} in phase {_bad_phase(build)}",
                cause=_CAUSES.get(status, Cause.PERMANENT),
                hint=f"look at its log: {link}" if link else "look at its log in CodeBuild",
            )  # fmt: skip
        exported = {item["name"]: item["value"] for item in build.get("exportedEnvironmentVariables", ())}
        return Done(outputs={"BuildId": build["id"], "Logs": link, "Variables": exported})

    def cancel(self, ctx: Context) -> Step:
        """Stop it; how it ended is seen by the next look."""
        self._client(ctx).stop_build(id=ctx.scratch["build"])
        return Again(after=1, message="stopping the build")

    def undo(self, ctx: Context) -> Step:
        """Nobody knows what a build did."""
        _ = ctx
        return Done(changed=False, message="what a build did cannot be undone from here")

    def _build(self, ctx: Context) -> Mapping[str, Any] | None:
        found = self._client(ctx).batch_get_builds(ids=[ctx.scratch["build"]])["builds"]
        return found[0] if found else None

    @staticmethod
    def _client(ctx: Context) -> Any:
        return ctx.client("codebuild", region=ctx.params.region)


def _request(params: RunCodeBuildParams, token: str) -> dict[str, Any]:
    variables = [{"name": TOKEN_VARIABLE, "value": token, "type": "PLAINTEXT"}]
    for name, value in params.environment_variables.items():
        plain = isinstance(value, str)
        text, kind = (value, "PLAINTEXT") if plain else (value.value, value.type)  # type: ignore[union-attr]
        variables.append({"name": name, "value": str(text), "type": kind})
    request = {
        "projectName": params.project_name, "idempotencyToken": token, "environmentVariablesOverride": variables,
        "sourceVersion": params.source_version, "buildspecOverride": params.buildspec,
    }  # fmt: skip
    return {name: value for name, value in request.items() if value is not None}


def _started_before(client: Any, project: str, token: str) -> str | None:
    """The newest hundred builds of the project are searched: more are hardly started while a worker is being replaced."""
    ids = client.list_builds_for_project(projectName=project, sortOrder="DESCENDING")["ids"][:100]
    builds = client.batch_get_builds(ids=ids)["builds"] if ids else ()
    for build in builds:
        variables = build.get("environment", {}).get("environmentVariables", ())
        if any(variable["name"] == TOKEN_VARIABLE and variable["value"] == token for variable in variables):
            return str(build["id"])
    return None


def _bad_phase(build: Mapping[str, Any]) -> str:
    bad = (phase["phaseType"] for phase in build.get("phases", ()) if phase.get("phaseStatus") not in (None, "SUCCEEDED"))
    return str(next(bad, build.get("currentPhase", "unknown")))
