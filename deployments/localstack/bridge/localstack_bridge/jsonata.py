"""JSONata expressions of Step Functions through the pure-Python port; LocalStack would download a Java library."""

from typing import Any

from jsonata.jsonata import Jsonata
from localstack.runtime import hooks
from localstack.services.stepfunctions.asl.jsonata import jsonata as evaluator


def _evaluate(expression: str) -> Any:
    return Jsonata(expression).evaluate(None)


@hooks.on_infra_start()
def use_python_jsonata() -> None:
    """Replace LocalStack's evaluator when it starts."""
    evaluator._eval_jsonata = _evaluate
