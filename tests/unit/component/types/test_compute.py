"""Types that start instances: what is emitted for definitions old and new, and what nobody can switch off."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from core_lib.component import Built, Released
from core_lib.component.library import builtin_catalogue
from core_lib.component.model import StageTemplate
from core_lib.execute import validate_spec
from core_lib.framework.errors import CoreError
from tests.builders.components import built, example_files, resources_of, template

SHARED = Path(__file__).parents[4] / "core_lib" / "component" / "types" / "_shared"
TYPES = ("AWS::AutoScale", "AWS::Cluster", "AWS::Image", "AWS::Instance", "AWS::LoadBalancedInstances", "AWS::UnencryptedImage")
EXAMPLES = [
    (name, file)
    for name in TYPES
    for file in sorted(builtin_catalogue().types[name].files)
    if file == "example.yaml" or file.startswith("examples/")
]
LAUNCH = "AWS::EC2::LaunchTemplate"
GROUP = "AWS::AutoScaling::AutoScalingGroup"


def example(name: str, file: str = "example.yaml") -> Built:
    return built(example_files(builtin_catalogue().types[name], file))


def stages(made: Built, name: str) -> Iterator[StageTemplate]:
    for compiled in made.components.values():
        if compiled.component.type.name == name:
            yield from compiled.stages.values()


def group_of(properties: str = "", *, kind: str = "AWS::AutoScale", more: str = "") -> Built:
    """A component `app` with one group of Linux instances; `more` are further lines of its Configuration."""
    return built(f"""
app:
  Type: {kind}
  Configuration:
    AutoScalingGroup: {{Properties: {{MinSize: 1, MaxSize: 2}}}}
    LaunchTemplate:
      Properties:
        LaunchTemplateData: {{ImageId: ami-0123456789abcdef0, InstanceType: t3.small{properties}}}
{more}""")


def user_data(made: Built, component: str) -> str:
    """The user data of a component's first launch template as text; values of CloudFormation stand as `<Ref>`."""
    lines = resources_of(made, component, LAUNCH)[0]["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Join"][1]
    return "\n".join(line if isinstance(line, str) else _joined(line) for line in lines)


def _joined(line: Mapping[str, Any]) -> str:
    return "".join(part if isinstance(part, str) else f"<{next(iter(part.values()))}>" for part in line["Fn::Join"][1])


@pytest.mark.parametrize(("name", "file"), EXAMPLES)
def test_examples_when_compiled_then_no_launch_configuration_is_left(name: str, file: str) -> None:
    kinds = {resource["Type"] for stage in stages(example(name, file), name) for resource in stage.body["Resources"].values()}
    assert "AWS::AutoScaling::LaunchConfiguration" not in kinds


@pytest.mark.parametrize(("name", "file"), EXAMPLES)
def test_instances_when_compiled_then_they_ask_for_session_tokens_and_encrypt_their_disks(name: str, file: str) -> None:
    seen = 0
    for stage in stages(example(name, file), name):
        for resource in stage.body["Resources"].values():
            if resource["Type"] not in (LAUNCH, "AWS::EC2::Instance"):
                continue
            seen += 1
            data = resource["Properties"].get("LaunchTemplateData", resource["Properties"])
            assert data["MetadataOptions"]["HttpTokens"] == "required"
            disks = [disk["Ebs"] for disk in data["BlockDeviceMappings"]]
            if name == "AWS::UnencryptedImage":
                assert not any("Encrypted" in disk for disk in disks)
            else:
                assert all(disk["Encrypted"] is True and disk["KmsKeyId"] == {"Ref": "KmsKeyArn"} for disk in disks)
    assert seen


@pytest.mark.parametrize(
    ("alias", "options"),
    [
        ("AlbLt", {}),
        ("NoAlb", {"Balancer": "external"}),
        ("R53", {"Route53": True}),
        ("Spot", {"Spot": True}),
        ("V2", {}),
        ("V3", {}),
        ("Win", {"Windows": True}),
    ],
)
def test_alias_when_it_is_found_then_it_is_auto_scale_with_its_presets(alias: str, options: Mapping[str, Any]) -> None:
    found, preset = builtin_catalogue().find(f"AWS::AutoScale{alias}")
    assert (found.name, preset) == ("AWS::AutoScale", options)


def test_metadata_options_when_tokens_are_made_optional_then_they_are_required_all_the_same() -> None:
    made = group_of(", MetadataOptions: {HttpTokens: optional, HttpPutResponseHopLimit: 4}")
    options = resources_of(made, "app", LAUNCH)[0]["LaunchTemplateData"]["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 4)


def test_volume_when_encryption_is_switched_off_then_it_is_encrypted_with_the_key_that_is_written() -> None:
    disk = "{DeviceName: /dev/xvdb, Ebs: {VolumeSize: 9, Encrypted: false, KmsKeyId: alias/mine}}"
    made = group_of(f", BlockDeviceMappings: [{disk}]")
    root, own = resources_of(made, "app", LAUNCH)[0]["LaunchTemplateData"]["BlockDeviceMappings"]
    assert root["DeviceName"] == "/dev/xvda"
    assert own["Ebs"] == {
        "VolumeSize": 9, "VolumeType": "gp3", "DeleteOnTermination": True, "Encrypted": True, "KmsKeyId": "alias/mine",
    }  # fmt: skip


def test_launch_configuration_when_it_is_written_then_its_properties_become_those_of_a_launch_template() -> None:
    made = built("""
app:
  Type: AWS::Cluster
  Configuration:
    AutoScalingGroup: {Properties: {MinSize: 1, MaxSize: 1}}
    LaunchConfiguration:
      Properties:
        ImageId: ami-0123456789abcdef0
        InstanceType: t3.small
        InstanceMonitoring: false
        PlacementTenancy: dedicated
        SecurityGroups: [sg-0123456789abcdef0]
        SpotPrice: 0.05
""")
    data = resources_of(made, "app", LAUNCH)[0]["LaunchTemplateData"]
    assert data["Monitoring"] == {"Enabled": False}
    assert data["Placement"] == {"Tenancy": "dedicated"}
    assert data["SecurityGroupIds"] == [{"Ref": "SecurityGroupId"}, "sg-0123456789abcdef0"]
    assert data["InstanceMarketOptions"] == {"MarketType": "spot", "SpotOptions": {"MaxPrice": "0.05"}}
    assert not {"InstanceMonitoring", "PlacementTenancy", "SecurityGroups", "SpotPrice"} & set(data)


def test_bake_when_it_is_written_then_the_image_is_made_between_bake_and_resources_and_the_bake_is_taken_away() -> None:
    made = example("AWS::AutoScale", "examples/several.yaml")
    booking = made.components["booking"]
    steps = {step.name: step for step in booking.steps["deploy"]}
    assert list(steps) == [
        "unbake", "image-WebBakeInstance", "image-JobBakeInstance", "former-WebBakeInstance", "former-JobBakeInstance",
    ]  # fmt: skip
    assert {name: (step.after, step.before) for name, step in steps.items()} == {
        "unbake": ("bake", None),
        "image-WebBakeInstance": ("bake", "unbake"),
        "image-JobBakeInstance": ("bake", "unbake"),
        "former-WebBakeInstance": ("bake", "image-WebBakeInstance"),
        "former-JobBakeInstance": ("bake", "image-JobBakeInstance"),
    }
    assert steps["image-JobBakeInstance"].spec["InstanceId"] == "{{ outputs.bake.JobBakeInstanceId }}"
    assert steps["unbake"].spec == {"StackName": booking.stages["bake"].stack_name}
    images = {name: value for name, value in booking.stages["resources"].parameters.items() if name.endswith("Image")}
    assert {name: value.stage for name, value in images.items() if not isinstance(value, str)} == {
        "JobBakeInstanceImage": "image-JobBakeInstance", "WebBakeInstanceImage": "image-WebBakeInstance",
    }  # fmt: skip
    used = [each["LaunchTemplateData"]["ImageId"] for each in resources_of(made, "booking", LAUNCH)]
    assert used == [{"Ref": "WebBakeInstanceImage"}, {"Ref": "JobBakeInstanceImage"}]


@pytest.mark.parametrize(("name", "file"), EXAMPLES)
def test_steps_when_compiled_then_their_specs_are_those_of_their_kinds(name: str, file: str) -> None:
    for compiled in example(name, file).components.values():
        for steps in compiled.steps.values():
            for step in steps:
                validate_spec(step.kind, step.spec, allow_runtime=True)


def test_image_when_it_is_made_then_it_is_copied_with_the_applications_key_and_the_first_one_goes() -> None:
    image = example("AWS::Image").components["base-image"]
    steps = {step.name: step for step in image.steps["deploy"]}
    assert steps["image"].spec["ImageName"] == "{{ outputs.plain.ImageId }}"
    assert steps["image"].spec["KmsKeyArn"] == "{{ outputs.bake.KeyArn }}"
    assert steps["drop"].spec["ImageName"] == steps["plain"].spec["ImageName"] != steps["image"].spec["DestinationImageName"]
    assert [step.spec["ImageName"] for step in image.steps["teardown"]] == [
        steps["image"].spec["DestinationImageName"], steps["plain"].spec["ImageName"],
    ]  # fmt: skip


def test_unencrypted_image_when_accounts_are_listed_then_it_is_shared_with_them_and_only_with_siblings() -> None:
    text = """
golden:
  Type: AWS::UnencryptedImage
  Configuration:
    ShareToAccounts: [222222222222]
    BakeInstance: {Properties: {ImageId: ami-0123456789abcdef0, InstanceType: t3.small}}
"""
    made = built(text, AwsSiblings=["222222222222"])
    share = next(step for step in made.components["golden"].steps["deploy"] if step.name == "share")
    assert (share.spec["AccountsToShare"], share.spec["Siblings"]) == (["222222222222"], ["222222222222"])


def test_balancer_when_it_forwards_to_instances_then_a_group_of_the_build_lets_it_in_on_these_ports_only() -> None:
    made = example("AWS::AutoScale", "examples/alb.yaml")
    access = template(made, "portal")["Resources"]["BalancerAccess"]["Properties"]
    assert {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in access["SecurityGroupIngress"]} == {
        ("tcp", 8080, 8080), ("tcp", 8081, 8081), ("tcp", 9000, 9000),
    }  # fmt: skip
    assert all(rule["SourceSecurityGroupId"] == {"Ref": "LoadBalancerSecurityGroupId"} for rule in access["SecurityGroupIngress"])


def test_rule_when_it_names_listener_and_target_group_plainly_then_these_become_references() -> None:
    made = example("AWS::AutoScale", "examples/alb.yaml")
    rule = template(made, "portal")["Resources"]["DefaultListenerRule"]["Properties"]
    assert rule["ListenerArn"] == {"Ref": "DefaultListener"}
    assert rule["Actions"] == [{"Type": "forward", "TargetGroupArn": {"Ref": "DefaultTargetGroup"}}]


def test_spot_when_it_is_on_then_a_mixed_instances_policy_buys_the_capacity() -> None:
    group = resources_of(example("AWS::AutoScale", "examples/spot.yaml"), "ingest", GROUP)[0]
    policy = group["MixedInstancesPolicy"]
    assert policy["InstancesDistribution"] == {
        "OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 0, "SpotAllocationStrategy": "price-capacity-optimized",
    }  # fmt: skip
    assert [each["InstanceType"] for each in policy["LaunchTemplate"]["Overrides"]] == [
        "m6a.large", "m6i.large", "m5.large", "m5a.large",
    ]  # fmt: skip
    assert "LaunchTemplate" not in group


def test_launch_template_when_it_is_written_as_older_definitions_spell_it_then_it_compiles_unchanged() -> None:
    made = built("""
app:
  Type: AWS::AutoScaleSpot
  Configuration:
    AutoScalingGroup:
      Properties: {MinSize: "1", MaxSize: "2", LaunchConfigurationName: old, MetricsCollection: [{Granularity: 1Minute}]}
    launchTemplate:
      Properties:
        Dynatrace: false
        BlockDeviceMappings: [{DeviceName: /dev/sdf, Ebs: {VolumeSize: "10"}}]
        LaunchTemplateData: {ImageId: ami-0123456789abcdef0, InstanceType: t3.small, MetadataOptions: required}
""")
    data = resources_of(made, "app", LAUNCH)[0]["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert [disk["DeviceName"] for disk in data["BlockDeviceMappings"]] == ["/dev/xvda", "/dev/sdf"]
    assert not {"Dynatrace", "LaunchConfigurationName"} & {*data, *resources_of(made, "app", GROUP)[0]}
    assert not made.warnings


def test_group_when_the_fact_allows_fewer_then_the_smaller_share_of_signals_is_enough() -> None:
    text = """
app:
  Type: AWS::Cluster
  Configuration:
    AutoScalingGroup:
      CreationPolicy: {AutoScalingCreationPolicy: {MinSuccessfulInstancesPercent: 90}, ResourceSignal: {Timeout: PT40M}}
      Properties: {MinSize: 2, MaxSize: 2}
    LaunchTemplate: {Properties: {ImageId: ami-0123456789abcdef0, InstanceType: t3.small}}
"""
    made = built(text, MinSuccessfulInstancesPercent=75)
    group = template(made, "app")["Resources"]["AutoScalingGroup"]
    assert group["CreationPolicy"] == {
        "ResourceSignal": {"Count": 2, "Timeout": "PT40M"},
        "AutoScalingCreationPolicy": {"MinSuccessfulInstancesPercent": 75},
    }
    rolling = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert (rolling["MinInstancesInService"], rolling["PauseTime"]) == (1, "PT40M")


def test_user_data_when_a_value_looks_like_shell_then_no_shell_ever_runs_it(tmp_path: Path) -> None:
    made = built(
        """
app:
  Type: AWS::Cluster
  Configuration:
    AutoScalingGroup: {Properties: {MinSize: 1, MaxSize: 1}}
    LaunchTemplate: {Properties: {ImageId: ami-0123456789abcdef0, InstanceType: t3.small}}
""",
        Environment=f"$(touch {tmp_path}/ran)`touch {tmp_path}/ran`'\"=",
    )
    text = user_data(made, "app").replace("/etc/pipeline", str(tmp_path)).replace("/etc/profile.d", str(tmp_path))
    told = text[text.index("cat > ") : text.index(f"cat > {tmp_path}/orders")]
    reader = text[text.index(f"cat > {tmp_path}/deployment") : text.index("set +u")]
    script = f'{told}\n{reader}\n. {tmp_path}/deployment_information.sh\nprintf %s "$PIPELINE_ENVIRONMENT"'
    done = subprocess.run(["bash", "-eu", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == f"$(touch {tmp_path}/ran)`touch {tmp_path}/ran`'\"="
    assert not (tmp_path / "ran").exists()


def test_user_data_when_metadata_changes_then_it_changes_too_so_that_instances_are_replaced() -> None:
    texts = [user_data(group_of(more=f"      Metadata: {{Note: {note}}}"), "app") for note in ("one", "two", "two")]
    versions = {next(line for line in text.splitlines() if "setup" in line) for text in texts}
    assert len(versions) == 2


def test_user_data_when_there_is_much_to_tell_then_it_stays_far_below_the_16_kilobytes_that_ec2_takes() -> None:
    links = "".join(f"        NAME_{number}: {{Component: fn, OutputName: FunctionArn}}\n" for number in range(50))
    function = """
fn:
  Type: AWS::Serverless
  Configuration: {Function: {Properties: {Code: {ZipFile: "x"}, Handler: index.x, Runtime: python3.13}}}
"""
    more = f"      Pipeline::Link:\n{links}{function}"
    assert len(user_data(group_of(more=more), "app").encode()) < 10_000
    windows = resources_of(example("AWS::AutoScale", "examples/windows.yaml"), "terminal", LAUNCH)[0]
    assert len(str(windows["LaunchTemplateData"]["UserData"])) < 10_000


@pytest.mark.parametrize("script", sorted(SHARED.rglob("*.sh")), ids=lambda path: path.name)
def test_script_when_bash_reads_it_then_it_is_valid(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_agent_when_it_needs_a_key_then_the_template_names_the_secret_and_the_role_may_read_it() -> None:
    made = example("AWS::AutoScale", "examples/spot.yaml")
    launch = template(made, "ingest")["Resources"]["LaunchTemplate"]
    init = launch["Metadata"]["AWS::CloudFormation::Init"]
    assert init["configSets"]["default"] == ["pipeline", "agent_cloudwatch", "agent_datadog"]
    assert init["agent_datadog"]["commands"]["01-install"]["env"]["AGENT_SECRET"] == "datadog-key"
    policy = resources_of(made, "ingest", "AWS::IAM::Policy", "logs")[0]["PolicyDocument"]["Statement"]
    secret = next(statement["Resource"] for statement in policy if statement["Sid"] == "ReadAgentKeys")
    assert secret[0]["Fn::Sub"].endswith(":secret:datadog-key-??????")


@pytest.mark.parametrize(
    ("name", "advice"), [("datadgo", "did you mean datadog?"), ("unheard", "known are awslogs, cloudwatch, ")]
)
def test_agent_when_there_is_none_of_that_name_then_the_nearest_is_named(name: str, advice: str) -> None:
    with pytest.raises(CoreError, match=f"there is no agent '{name}'") as told:
        group_of(more=f"      Pipeline::Agents: {{{name}: {{}}}}")
    assert advice in str(told.value.hint)


def test_agent_when_the_package_has_a_file_for_it_then_it_is_one_more() -> None:
    components = """
app:
  Type: AWS::Cluster
  Configuration:
    AutoScalingGroup: {Properties: {MinSize: 1, MaxSize: 1}}
    LaunchTemplate:
      Pipeline::Agents: {acme: {Level: 3}}
      Properties: {ImageId: ami-0123456789abcdef0, InstanceType: t3.small}
"""
    agent = 'commands: {01-run: {command: "acme --level {{ settings.Level }}"}}'
    made = built({"components.yaml": components, "platform/types/_shared/agents/acme.yaml": agent})
    init = template(made, "app")["Resources"]["LaunchTemplate"]["Metadata"]["AWS::CloudFormation::Init"]
    assert init["agent_acme"] == {"commands": {"01-run": {"command": "acme --level 3"}}}


def test_windows_when_the_image_says_so_then_the_last_command_signals_and_a_bake_is_generalised_first() -> None:
    made = example("AWS::AutoScale", "examples/windows.yaml")
    baked = template(made, "terminal", "bake")["Resources"]["BakeInstance"]
    assert baked["CreationPolicy"]["ResourceSignal"]["Timeout"] == "PT60M"
    init = baked["Metadata"]["AWS::CloudFormation::Init"]
    assert init["configSets"]["default"][-1] == "finish"
    assert list(init["finish"]["commands"]) == ["01-generalise", "02-signal"]
    launched = template(made, "terminal")["Resources"]["LaunchTemplate"]["Metadata"]["AWS::CloudFormation::Init"]
    assert list(launched["finish"]["commands"]) == ["02-signal"]


def test_record_of_ones_own_when_route53_is_not_asked_for_then_the_way_to_get_it_is_told() -> None:
    balancer = "    ApplicationLoadBalancer: {Properties: {Scheme: internal, R53Record: shop}}"
    with pytest.raises(CoreError, match="Route53: true"):
        group_of(more=balancer)
    made = group_of(kind="AWS::AutoScaleR53", more=balancer)
    records = {each["Name"] for each in resources_of(made, "app", "AWS::Route53::RecordSet", "release")}
    assert records == {"app.main.web.shop.shop.example.org", "shop.shop.example.org"}


def test_balancer_when_two_kinds_are_asked_for_then_it_is_refused() -> None:
    balancer = "    ApplicationLoadBalancer: {Properties: {Scheme: internal}}"
    with pytest.raises(CoreError, match="Balancer: network"):
        group_of(more=balancer, kind="AWS::AutoScale\n  Options: {Balancer: network}")


def test_image_when_resources_persist_then_the_teardown_deletes_that_of_the_build_that_made_it() -> None:
    files = example_files(builtin_catalogue().types["AWS::Cluster"], "examples/baked.yaml")
    text = files["platform/components/example.yaml"].replace(
        b"  Type: AWS::Cluster\n", b"  Type: AWS::Cluster\n  Persist: true\n"
    )
    released = Released("6", {"brokers": "shop-web-main-3-brokers-resources"})
    made = built({**files, "platform/components/example.yaml": text}, released=released)
    (image,) = made.components["brokers"].steps["teardown"]
    assert image.spec == {"ImageName": "shop-web-main-3-brokers-BakeInstance"}
