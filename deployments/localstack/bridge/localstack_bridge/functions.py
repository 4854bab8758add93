"""Lambda functions as child processes of LocalStack: Python handlers run without Docker."""

import json
import os
import subprocess
import sys
from typing import Any

from localstack import config
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

DEFAULT_TIMEOUT_SECONDS = 3

# What the child runs: reads {event, request id, ARN} from standard input, answers on the descriptor given as its argument.
CHILD = """
import importlib, json, os, sys, traceback

sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
request = json.load(sys.stdin)


class Context:
    aws_request_id = request["id"]
    invoked_function_arn = request["arn"]
    function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    memory_limit_in_mb = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"))

    def get_remaining_time_in_millis(self):
        return int(request["seconds"] * 1000)


try:
    module, name = os.environ["_HANDLER"].rsplit(".", 1)
    handler = getattr(importlib.import_module(module.replace("/", ".")), name)
    answer = {"error": False, "body": handler(request["event"], Context())}
except BaseException as failure:
    answer = {
        "error": True,
        "body": {
            "errorMessage": str(failure),
            "errorType": type(failure).__name__,
            "stackTrace": traceback.format_exc().splitlines(),
        },
    }
with os.fdopen(int(sys.argv[1]), "w") as pipe:
    json.dump(answer, pipe)
"""


class ChildProcess(RuntimeExecutor):
    """Runs one function version; every invocation is a new process."""

    variables: dict[str, str]

    def start(self, env_vars: dict[str, str]) -> None:
        self.variables = {name: str(value) for name, value in env_vars.items()}

    def stop(self) -> None:
        """Nothing stays between invocations."""

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}"

    def get_logs(self) -> str:
        return ""

    @classmethod
    def prepare_version(cls, function_version: Any) -> None:
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: Any) -> None:
        """The unpacked code belongs to LocalStack."""

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        answer, output = self._run(payload)
        return InvocationResult(
            request_id=payload["invoke-id"],
            payload=json.dumps(answer["body"]).encode(),
            is_error=answer["error"],
            logs=output.decode(errors="replace"),
        )

    def _run(self, payload: dict[str, str]) -> tuple[dict[str, Any], bytes]:
        settings = self.function_version.config
        seconds = settings.timeout or DEFAULT_TIMEOUT_SECONDS
        request = {
            "id": payload["invoke-id"],
            "arn": payload["invoked-function-arn"],
            "event": json.loads(payload["payload"] or "null"),
            "seconds": seconds,
        }
        code = str(settings.code.get_unzipped_code_location())
        reader, writer = os.pipe()
        with os.fdopen(reader) as answers:
            child = subprocess.Popen(
                [sys.executable, "-c", CHILD, str(writer)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=code,
                pass_fds=(writer,),
                env=self.variables | {"LAMBDA_TASK_ROOT": code, "PYTHONPATH": code, "PATH": os.environ["PATH"]},
            )
            os.close(writer)
            try:
                output, _ = child.communicate(json.dumps(request).encode(), timeout=seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                output, _ = child.communicate()
                return _failure(f"{request['id']} Task timed out after {seconds:.2f} seconds"), output
            text = answers.read()
        return (json.loads(text) if text else _failure("the runtime ended without an answer", "Runtime.ExitError")), output


def _failure(message: str, kind: str | None = None) -> dict[str, Any]:
    body = {"errorMessage": message} | ({"errorType": kind} if kind else {})
    return {"error": True, "body": body}


class ChildProcessPlugin(RuntimeExecutorPlugin):
    """LocalStack finds the executor under this name (`LAMBDA_RUNTIME_EXECUTOR`)."""

    name = "child-process"

    def load(self, *_args: Any, **_kwargs: Any) -> type[ChildProcess]:
        return ChildProcess
