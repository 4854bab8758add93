"""The Step Functions executor as it is installed: the state machine's definition, its CloudFormation template, and a short way to
put it onto an emulator.

`definition.asl.json` is the state machine, in JSONPath so that AWS, LocalStack and MiniStack take the same text. `template`
builds `template.json` from it: state machine, activity or Lambda function, roles, log groups, alarms, dead-letter queue.
`install` makes activity and state machine with two API calls, for emulators and trials.

    python -m deployments.stepfunctions > template.json
"""

from deployments.stepfunctions.definition import definition
from deployments.stepfunctions.machine import install
from deployments.stepfunctions.template import template

__all__ = ["definition", "install", "template"]
