"""AWS::GetStackReferences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.stacks.live import error_text, is_missing
from core_lib.execute.stacks.parameters import STACK_NAME
from core_lib.execute.stacks.scope import stack_scope
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Message, Target

PAGES_PER_STEP = 20
MOST_SHOWN = 10


class GetStackReferencesParams(Message):
    """Which stack, and which of its exports."""

    stack_name: str = Field(pattern=STACK_NAME, description="Name of the stack")
    output_name: str | None = Field(
        default=None, description="Only this export: the name of the output (such as DefaultExport), or of the export itself"
    )
    optional: bool = Field(default=False, description="A stack or export that is not there has no references, and that is fine")


Context = ActionContext[GetStackReferencesParams]


class GetStackReferences(Action[GetStackReferencesParams]):
    """Finds the stacks that import what a stack exports."""

    kind = "AWS::GetStackReferences"
    purpose = "Finds the stacks that import the exports of a stack, so that later actions can tell whether it is still needed."
    permissions = ("cloudformation:DescribeStacks", "cloudformation:ListImports")
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListImports.html"
    Params = GetStackReferencesParams
    outputs: ClassVar[Mapping[str, str] | None] = {
        "HasReferences": "whether any stack imports from it",
        "NumReferences": "how many stacks import from it",
        "References": "names of the importing stacks",
        "Exports": "importing stacks by name of the export",
    }
    reads_only = True
    example: ClassVar[Mapping[str, Any]] = {"StackName": "network", "OutputName": "DefaultExport"}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """Neither call can be narrowed to a stack."""
        return stack_scope(cls.permissions, params, target, partition)

    def start(self, ctx: Context) -> Step:
        """Find the exports."""
        try:
            stack = ctx.client("cloudformation").describe_stacks(StackName=ctx.params.stack_name)["Stacks"][0]
        except ClientError as error:
            if not is_missing(error):
                raise
            return self._absent(ctx, f"there is no stack {ctx.params.stack_name}")
        exports, wanted = _exports(stack), ctx.params.output_name
        if wanted is not None:
            exports = {output: export for output, export in exports.items() if wanted in (output, export)}
            if not exports:
                return self._absent(ctx, f"the stack exports nothing called {wanted}")
        return self._look({"todo": sorted(exports.values()), "token": None, "found": {}}, ctx)

    def check(self, ctx: Context) -> Step:
        """Go on with the next pages."""
        return self._look({key: ctx.scratch[key] for key in ("todo", "token", "found")}, ctx)

    def cancel(self, ctx: Context) -> Step:
        """Nothing but reading was under way."""
        _ = ctx
        return Done(changed=False, message="nothing was changed")

    def _look(self, state: dict[str, Any], ctx: Context) -> Step:
        todo, token = list(state["todo"]), state["token"]
        found: dict[str, list[str]] = {name: list(stacks) for name, stacks in state["found"].items()}
        client = ctx.client("cloudformation")
        for _ in range(PAGES_PER_STEP):
            if not todo:
                return _result(found)
            stacks, token = _imports(client, todo[0], token)
            found.setdefault(todo[0], []).extend(stacks)
            if token is None:
                todo.pop(0)
        return Again(after=0, scratch={"todo": todo, "token": token, "found": found}) if todo else _result(found)

    def _absent(self, ctx: Context, message: str) -> Step:
        if ctx.params.optional:
            return Done(outputs=_result({}).outputs, changed=False, message=message)
        return Failed(message, hint="name a stack and an output that are there, or set Optional: true")


def _exports(stack: Mapping[str, Any]) -> dict[str, str]:
    """Names of exports by output."""
    return {each["OutputKey"]: each["ExportName"] for each in stack.get("Outputs", ()) if each.get("ExportName")}


def _imports(client: Any, export: str, token: str | None) -> tuple[list[str], str | None]:
    """One page of importing stacks, and the token of the next one. CloudFormation calls an export nobody imports an error."""
    try:
        page = client.list_imports(ExportName=export, **({"NextToken": token} if token else {}))
    except ClientError as error:
        if "not imported" in error_text(error)[1]:
            return [], None
        raise
    return page["Imports"], page.get("NextToken")


def _result(found: Mapping[str, list[str]]) -> Done:
    stacks = sorted({stack for importing in found.values() for stack in importing})
    outputs = {
        "HasReferences": bool(stacks),
        "NumReferences": len(stacks),
        "References": stacks,
        "Exports": {export: sorted(importing) for export, importing in found.items()},
    }
    shown = f": {', '.join(stacks[:MOST_SHOWN])}{' ...' if len(stacks) > MOST_SHOWN else ''}" if stacks else ""
    return Done(outputs=outputs, changed=False, message=f"{len(stacks)} stacks import from it{shown}")
