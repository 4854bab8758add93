"""Errors that went through the state machine come out as what they were."""

from __future__ import annotations

import json

from core_lib.framework.errors import ArtefactError
from core_lib.runner.stepfunctions.problems import LONGEST_CAUSE, Problem, told


def test_problem_when_a_worker_told_it_then_code_place_and_hint_survive() -> None:
    problem = told(ArtefactError("the bucket is gone", where="s3://artefacts", hint="make it again"))
    assert problem.error == "ArtefactError"
    info = problem.info("run-1")
    assert (info.code, info.message, info.where, info.hint) == (
        "CORE-4002", "the bucket is gone", "s3://artefacts", "make it again"
    )  # fmt: skip


def test_problem_when_lambda_made_it_of_an_exception_then_its_text_is_kept() -> None:
    cause = json.dumps({"errorMessage": "CORE-4002 the bucket is gone", "errorType": "ArtefactError", "stackTrace": ["..."]})
    info = Problem(error="ArtefactError", cause=cause).info("run-1")
    assert (info.message, info.where) == ("ArtefactError: CORE-4002 the bucket is gone", "run-1")


def test_problem_when_step_functions_made_it_itself_then_it_is_vague() -> None:
    problem = Problem(error="States.Timeout")
    assert problem.vague
    assert problem.info("run-1").message == "States.Timeout: no cause was told"


def test_told_when_the_message_is_huge_then_it_fits_into_the_state() -> None:
    assert len(told(ArtefactError("x" * 100_000)).cause) < LONGEST_CAUSE * 2
