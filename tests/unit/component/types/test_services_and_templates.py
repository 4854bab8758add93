"""Containers, rules, state machines, and templates of one's own: what they make of what is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from core_lib.component import Built
from core_lib.framework.errors import CoreError
from tests.builders.components import built, resources_of, template

SERVICE = """
web:
  Type: AWS::ECS::Service
  Options: {OPTIONS}
  Configuration:
    TaskDefinition:
      Properties:
        ContainerDefinitions:
          - {Name: app, Image: "nginx:1.27", PortMappings: [{ContainerPort: 8080}]}
"""
BALANCED = "    LoadBalancer: {}\n    MainListener: {Properties: {Port: 80, Protocol: HTTP}}\n"


def service(more: str = "", options: str = "") -> Built:
    return built(SERVICE.replace("OPTIONS", options) + more)


def only(found: Built, component: str, kind: str, stage: str = "resources") -> Mapping[str, Any]:
    (properties,) = resources_of(found, component, kind, stage)
    return properties


def test_service_when_it_has_no_load_balancer_then_it_is_a_worker() -> None:
    found = service()
    properties = only(found, "web", "AWS::ECS::Service")
    assert "LoadBalancers" not in properties
    assert properties["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"
    assert properties["DeploymentConfiguration"]["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert not resources_of(found, "web", "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert "logs" not in found.components["web"].stages


def test_service_when_it_is_balanced_then_only_the_load_balancer_reaches_the_tasks() -> None:
    found = service(BALANCED)
    properties = only(found, "web", "AWS::ECS::Service")
    assert properties["LoadBalancers"] == [
        {"ContainerName": "app", "ContainerPort": 8080, "TargetGroupArn": {"Ref": "ServiceTargetGroup"}}
    ]
    assert template(found, "web")["Resources"]["Service"]["DependsOn"] == ["MainListener"]
    (rule,) = only(found, "web", "AWS::EC2::SecurityGroup")["SecurityGroupIngress"]
    assert rule["SourceSecurityGroupId"] == {"Ref": "LoadBalancerSecurityGroupId"}
    assert (rule["FromPort"], rule["ToPort"]) == (8080, 8080)
    balancer = only(found, "web", "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["SecurityGroups"] == [{"Ref": "LoadBalancerSecurityGroupId"}]


def test_service_when_its_load_balancer_has_no_listener_then_that_is_said() -> None:
    with pytest.raises(CoreError, match="without a listener"):
        service("    LoadBalancer: {}\n")


@pytest.mark.parametrize(("options", "policies"), [("", 1), ("MinTasks: 2, MaxTasks: 2", 0)])
def test_service_when_it_may_grow_then_it_is_scaled_by_load(options: str, policies: int) -> None:
    assert len(resources_of(service(options=options), "web", "AWS::ApplicationAutoScaling::ScalingPolicy")) == policies


def test_containers_when_they_have_variables_of_their_own_then_those_win() -> None:
    more = "            Environment: [{Name: PIPELINE_APP, Value: mine}]\n"
    text = SERVICE.replace("OPTIONS", "").replace('- {Name: app, Image: "nginx:1.27", PortMappings: [{ContainerPort: 8080}]}',
                                                  '- Name: app\n            Image: "nginx:1.27"')  # fmt: skip
    (container,) = only(built(text + more), "web", "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    told = {each["Name"]: each["Value"] for each in container["Environment"]}
    assert told["PIPELINE_APP"] == "mine"
    assert told["PIPELINE_BUILD"] == "7"
    assert len(told) == len(container["Environment"])
    assert container["LogConfiguration"]["Options"]["awslogs-group"] == {"Ref": "LogGroup"}


def test_secrets_when_containers_get_them_then_just_these_may_be_read() -> None:
    text = SERVICE.replace("OPTIONS", "").replace(
        "PortMappings: [{ContainerPort: 8080}]",
        'Secrets: [{Name: A, ValueFrom: "arn:aws:secretsmanager:eu-west-1:111111111111:secret:a-AbCdEf:field::"},'
        " {Name: B, ValueFrom: /shop/b}]",
    )
    policy = only(built(text), "web", "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    (allowed,) = [each for each in policy if each["Sid"] == "ReadSecrets"]
    assert allowed["Resource"] == [
        "arn:aws:secretsmanager:eu-west-1:111111111111:secret:a-AbCdEf",
        {"Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/shop/b"},
    ]


RULE = """
tick:
  Type: AWS::Events::Rule
  Options: {Scope: SCOPE}
  Configuration:
    Rule:
      Properties:
        ScheduleExpression: rate(1 day)
        Targets:
          - {Arn: "arn:aws:lambda:eu-west-1:111111111111:function:x"}
          - {Arn: "arn:aws:states:eu-west-1:111111111111:stateMachine:y"}
          - {Arn: "arn:aws:sqs:eu-west-1:111111111111:z", Id: queue}
"""


def test_rule_when_its_scope_is_release_then_only_a_release_makes_it() -> None:
    found = built(RULE.replace("SCOPE", "release"))
    assert not resources_of(found, "tick", "AWS::Events::Rule")
    assert only(found, "tick", "AWS::Events::Rule", "release")["Name"] == "shop-web-main-tick"
    assert only(built(RULE.replace("SCOPE", "build")), "tick", "AWS::Events::Rule")["Name"] == "shop-web-main-7-tick"


def test_targets_when_they_are_reached_then_functions_permit_it_and_state_machines_need_a_role() -> None:
    found = built(RULE.replace("SCOPE", "build"))
    function, machine, queue = only(found, "tick", "AWS::Events::Rule")["Targets"]
    assert "RoleArn" not in function
    assert machine["RoleArn"] == {"Ref": "RoleArn"}
    assert queue == {"Id": "queue", "Arn": "arn:aws:sqs:eu-west-1:111111111111:z"}
    (permission,) = resources_of(found, "tick", "AWS::Lambda::Permission")
    assert permission["FunctionName"] == function["Arn"]


def test_state_machine_when_its_definition_is_a_file_then_the_bucket_is_that_of_the_files() -> None:
    text = """
flow:
  Type: AWS::StepFunctions::StateMachine
  Configuration:
    StateMachine:
      Properties: {DefinitionS3Location: {Key: {"Fn::Pipeline::FileS3Key": {Path: flow.json}}}}
"""
    found = built({"components.yaml": text, "platform/files/flow.json": "{}"})
    location = only(found, "flow", "AWS::StepFunctions::StateMachine")["DefinitionS3Location"]
    assert location["Bucket"] == "acme-files"
    assert location["Key"].endswith("/flow.json")


OWN = """
Parameters:
  Wanted: {Type: String}
  Kept: {Type: Number, Default: 3}
  Build: {Type: String}
  KmsKeyArn: {Type: String}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {KmsMasterKeyId: !Ref KmsKeyArn, DisplayName: !Sub "${Wanted} {{ Build }}"}
Outputs:
  Arn: {Value: !Ref Topic}
"""


def custom(parameters: str, file: str = "templates/own.yaml", own: str = OWN) -> Built:
    properties = f"{{File: {file}, Parameters: {parameters}}}"
    text = f"mine:\n  Type: AWS::Custom\n  Configuration: {{Template: {{Properties: {properties}}}}}\n"
    return built({"components.yaml": text, f"platform/{file}": own})


def test_own_template_when_it_is_a_component_then_its_parameters_get_values_and_its_resources_tags() -> None:
    found = custom("{Wanted: x}")
    stage = found.components["mine"].stages["resources"]
    assert stage.parameters["Wanted"] == "x"
    assert stage.parameters["Build"] == "7"
    assert stage.parameters["KmsKeyArn"] == stage_of_key()
    assert "Kept" not in stage.parameters
    topic = only(found, "mine", "AWS::SNS::Topic")
    assert topic["DisplayName"] == {"Fn::Sub": "${Wanted} {{ Build }}"}
    assert {"Key": "App", "Value": "web"} in topic["Tags"]
    assert stage.body["Outputs"]["Arn"] == {"Value": {"Ref": "Topic"}}


def stage_of_key() -> Any:
    found = built("t:\n  Type: AWS::SNS::Topic\n  Configuration: {Topic: {}}\n")
    return found.components["t"].stages["resources"].parameters["KmsKeyArn"]


def test_own_template_when_a_file_has_the_name_of_one_of_an_example_then_it_is_the_users() -> None:
    found = custom("{Wanted: x}", "files/budget.yaml")
    assert resources_of(found, "mine", "AWS::SNS::Topic")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [("{}", "parameter Wanted of the template has no value"), ("{Wanted: x, Wonted: y}", "no parameter Wonted")],
)
def test_own_template_when_parameters_do_not_fit_then_that_is_said(parameters: str, words: str) -> None:
    with pytest.raises(CoreError, match=words):
        custom(parameters)


@pytest.mark.parametrize("file", ["../secrets.yaml", "files/../../x.yaml", "/etc/passwd", "vars/x.yaml"])
def test_own_template_when_the_file_lies_elsewhere_then_it_is_refused(file: str) -> None:
    text = f"mine:\n  Type: AWS::Custom\n  Configuration: {{Template: {{Properties: {{File: {file}}}}}}}\n"
    with pytest.raises(CoreError):
        built(text)
