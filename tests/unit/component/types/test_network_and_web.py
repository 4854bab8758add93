"""Load balancers, networks, endpoints, websites, APIs, certificates: what they make of what is written, and what they refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from core_lib.component import Built
from core_lib.component.model import Wire
from core_lib.framework.codecs import dump_yaml
from core_lib.framework.errors import CoreError
from tests.builders.components import built, resources_of, template

CERTIFICATE = "arn:aws:acm:eu-west-1:111111111111:certificate/12345678-1234-1234-1234-123456789012"
OTHER = CERTIFICATE.replace("12345678", "22345678")
ELB = "AWS::ElasticLoadBalancingV2"


def made(kind: str, configuration: Mapping[str, Any], options: Mapping[str, Any] | None = None, **facts: Any) -> Built:
    """A component `it` of this type, with a function `fn` beside it."""
    it = {"Type": kind, "Configuration": configuration} | ({"Options": options} if options else {})
    code = {"ZipFile": "def handler(event, context): return event"}
    function = {"Code": code, "Handler": "index.handler", "Runtime": "python3.13"}
    fn = {"Type": "AWS::Serverless", "Configuration": {"Function": {"Properties": function}}}
    return built(dump_yaml({"it": it, "fn": fn}), **facts)


def only(found: Built, kind: str, stage: str = "resources") -> Mapping[str, Any]:
    (properties,) = resources_of(found, "it", kind, stage)
    return properties


def resource(found: Built, key: str, stage: str = "resources") -> Mapping[str, Any]:
    properties: Mapping[str, Any] = template(found, "it", stage)["Resources"][key]["Properties"]
    return properties


def keys(found: Built, stage: str = "resources") -> set[str]:
    return set(template(found, "it", stage)["Resources"])


def balancer(more: Mapping[str, Any] | None = None, options: Mapping[str, Any] | None = None, **properties: Any) -> Built:
    configuration = {"LoadBalancer": {"Properties": properties}, **(more or {})}
    return made("AWS::ApplicationLoadBalancer", configuration, options)


def listener(port: int, protocol: str, *certificates: str) -> dict[str, Any]:
    listed = {"Certificates": [{"CertificateArn": arn} for arn in certificates]} if certificates else {}
    return {"Properties": {"Port": port, "Protocol": protocol, **listed}}


def attributes(properties: Mapping[str, Any], name: str = "LoadBalancerAttributes") -> dict[str, Any]:
    return {item["Key"]: item["Value"] for item in properties[name]}


# load balancers


def test_load_balancer_when_nothing_is_said_then_it_is_internal_and_drops_malformed_headers_and_keeps_logs() -> None:
    found = only(balancer(), f"{ELB}::LoadBalancer")
    assert found["Scheme"] == "internal"
    assert [subnet["Fn::ImportValue"].endswith(f"Private{n}Id") for n, subnet in enumerate(found["Subnets"], 1)] == [True] * 3
    kept = attributes(found)
    assert kept["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert kept["access_logs.s3.bucket"] == {"Ref": "LogsAccessLogsBucketName"}


def test_load_balancer_when_it_faces_the_internet_then_its_subnets_are_the_public_ones() -> None:
    found = only(balancer(Scheme="internet-facing"), f"{ELB}::LoadBalancer")
    assert all("Public" in subnet["Fn::ImportValue"] for subnet in found["Subnets"])


def test_attributes_when_written_then_they_win_over_ours_and_become_text() -> None:
    wanted = [
        {"Key": "routing.http.desync_mitigation_mode", "Value": "strictest"},
        {"Key": "idle_timeout.timeout_seconds", "Value": 9},
    ]
    found = attributes(only(balancer(LoadBalancerAttributes=wanted), f"{ELB}::LoadBalancer"))
    assert (found["routing.http.desync_mitigation_mode"], found["idle_timeout.timeout_seconds"]) == ("strictest", "9")


def test_access_logs_when_switched_off_then_there_is_no_bucket_and_nothing_to_empty() -> None:
    found = balancer(options={"AccessLogs": False})
    compiled = found.components["it"]
    assert "logs" not in compiled.stages
    assert [step.name for step in compiled.steps["teardown"]] == ["unprotect"]


def test_http_listener_when_another_one_has_a_certificate_then_it_redirects() -> None:
    found = balancer({"HttpListener": listener(80, "HTTP"), "HttpsListener": listener(8443, "HTTPS", CERTIFICATE)})
    (action,) = resource(found, "HttpListener")["DefaultActions"]
    assert action["RedirectConfig"] == {"Protocol": "HTTPS", "Port": "8443", "StatusCode": "HTTP_301"}
    assert resource(found, "HttpsListener")["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert "HttpRedirectListener" not in keys(found)


def test_https_listener_when_it_is_alone_then_port_80_redirects_to_it_unless_switched_off() -> None:
    listeners = {"Listener": listener(443, "HTTPS", CERTIFICATE)}
    assert "HttpRedirectListener" in keys(balancer(listeners))
    assert "HttpRedirectListener" not in keys(balancer(listeners, {"HttpRedirect": False}))


def test_listener_when_it_has_several_certificates_then_the_first_is_its_own_and_each_other_a_resource() -> None:
    found = balancer({"Listener": listener(443, "HTTPS", CERTIFICATE, OTHER)})
    assert resource(found, "Listener")["Certificates"] == [{"CertificateArn": CERTIFICATE}]
    assert resource(found, "ListenerCertificate2")["Certificates"] == [{"CertificateArn": OTHER}]


@pytest.mark.parametrize(
    ("groups", "forwarded_to", "made_too"),
    [
        ((), "DefaultTargetGroup", True),
        (("AppTargetGroup",), "AppTargetGroup", False),
        (("AppTargetGroup", "ApiTargetGroup"), "DefaultTargetGroup", True),
        (("DefaultTargetGroup", "ApiTargetGroup"), "DefaultTargetGroup", False),
    ],
)
def test_listener_when_it_names_no_action_then_it_forwards_to_the_default_or_only_target_group(
    groups: tuple[str, ...], forwarded_to: str, made_too: bool
) -> None:
    written = {key: {"Properties": {"Port": 80, "Protocol": "HTTP"}} for key in groups}
    found = balancer({"Listener": listener(80, "HTTP"), **written})
    assert resource(found, "Listener")["DefaultActions"][0]["TargetGroupArn"] == {"Ref": forwarded_to}
    assert (keys(found) - set(groups) >= {"DefaultTargetGroup"}) == made_too


def test_default_target_group_when_only_a_rule_names_it_then_it_is_made() -> None:
    rule = {"Priority": 1, "Conditions": [], "Actions": [{"Type": "forward", "TargetGroupArn": {"Ref": "DefaultTargetGroup"}}]}
    groups = {"AppTargetGroup": {"Properties": {"Port": 80, "Protocol": "HTTP"}}}
    found = balancer({"Listener": listener(80, "HTTP"), "OldListenerRule": {"Properties": rule}, **groups})
    assert "DefaultTargetGroup" in keys(found)
    assert resource(found, "OldListenerRule")["ListenerArn"] == {"Ref": "Listener"}


def test_target_group_when_it_calls_functions_then_they_may_be_called_before_it_is_made() -> None:
    target = {"Id": {"Fn::Pipeline::LambdaArn": {"Component": "fn", "Scope": "build"}}}
    found = balancer({"FnTargetGroup": {"Properties": {"Targets": [target]}}})
    group = template(found, "it")["Resources"]["FnTargetGroup"]
    assert (group["Properties"]["TargetType"], "Port" in group["Properties"]) == ("lambda", False)
    assert group["DependsOn"] == ["FnTargetGroupPermission"]
    assert resource(found, "FnTargetGroupPermission")["FunctionName"] == group["Properties"]["Targets"][0]["Id"]


def test_names_when_two_builds_stand_side_by_side_then_target_groups_differ_and_fit() -> None:
    group = {"AppTargetGroup": {"Properties": {"Name": "a-rather-long-name", "Port": 80, "Protocol": "HTTP"}}}
    names = {only(made("AWS::ApplicationLoadBalancer", group, Build=build), f"{ELB}::TargetGroup")["Name"] for build in "78"}
    assert len(names) == 2
    assert max(map(len, names)) <= 32


# networks


def network(
    subnets: Mapping[str, Any], options: Mapping[str, Any] | None = None, vpc: str = "10.0.0.0/16", **facts: Any
) -> Built:
    zones = {key: {"Properties": properties} for key, properties in subnets.items()}
    return made("AWS::Network", {"Vpc": {"Properties": {"CidrBlock": vpc}}, **zones}, options, **facts)


THREE = {"PublicSubnet": {"Kind": "public"}, "PrivateSubnet": {}, "DataSubnet": {"Kind": "isolated"}}


def exports(found: Built) -> set[str]:
    outputs = template(found, "it")["Outputs"].values()
    return {output["Export"]["Name"] for output in outputs if isinstance(output.get("Export", {}).get("Name"), str)}


def test_network_when_compiled_then_it_exports_what_components_of_its_zone_import() -> None:
    found = network(THREE)
    user = made("AWS::ApplicationLoadBalancer", {"LoadBalancer": {"Properties": {"Scheme": "internet-facing"}}})
    imported = {subnet["Fn::ImportValue"] for subnet in only(user, f"{ELB}::LoadBalancer")["Subnets"]}
    vpc = only(balancer({"AppTargetGroup": {"Properties": {}}}), f"{ELB}::TargetGroup")["VpcId"]["Fn::ImportValue"]
    assert imported | {vpc} <= exports(found)


@pytest.mark.parametrize(("nat", "gateways"), [("single", 1), ("each", 3), ("none", 0)])
def test_nat_when_chosen_then_private_subnets_have_that_many_ways_out_and_isolated_ones_never(nat: str, gateways: int) -> None:
    found = network(THREE, {"NatGateways": nat})
    assert len(resources_of(found, "it", "AWS::EC2::NatGateway")) == gateways
    routed = {route["RouteTableId"]["Ref"] for route in resources_of(found, "it", "AWS::EC2::Route")}
    assert "IsolatedRoutes" not in routed
    assert ("PrivateRoutes3" in routed) == (gateways > 0)


def test_subnets_when_another_zone_of_availability_comes_then_none_of_the_others_moves() -> None:
    def blocks(count: int) -> dict[str, Any]:
        subnets = template(network(THREE, AzCount=count), "it")["Resources"]
        return {key: each["Properties"]["CidrBlock"] for key, each in subnets.items() if each["Type"] == "AWS::EC2::Subnet"}

    three, four = blocks(3), blocks(4)
    assert three == {key: four[key] for key in three}
    assert len(four) == 12


def test_subnets_when_they_do_not_fit_then_it_is_said_before_anything_is_made() -> None:
    with pytest.raises(CoreError, match=r"10\.0\.0\.0/20 has room for 1 subnets of 4096 addresses, and 12 are set aside"):
        network(THREE, vpc="10.0.0.0/20")
    assert network(THREE, {"SubnetBits": 8}, vpc="10.0.0.0/20")


def test_subnets_when_blocks_are_missing_then_it_is_said() -> None:
    with pytest.raises(CoreError, match="AppSubnet: Cidrs needs one block for each of 3 availability zones"):
        network({"AppSubnet": {"Cidrs": ["10.0.0.0/24"]}})


def test_flow_logs_when_nothing_is_said_then_all_traffic_is_logged_in_an_encrypted_group() -> None:
    found = network(THREE)
    assert only(found, "AWS::EC2::FlowLog")["TrafficType"] == "ALL"
    assert only(found, "AWS::Logs::LogGroup")["KmsKeyId"] == {"Ref": "KmsKeyArn"}
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in resources_of(found, "it", "AWS::EC2::Subnet"))


# endpoints


@pytest.mark.parametrize(
    ("written", "meant"),
    [("s3", "com.amazonaws.${AWS::Region}.s3"), ("vpce-svc-1", "com.amazonaws.vpce.${AWS::Region}.vpce-svc-1")],
)
def test_service_when_written_short_then_its_full_name_is_meant(written: str, meant: str) -> None:
    found = made("AWS::VPCEndpoint", {"Endpoint": {"Properties": {"ServiceName": written}}})
    assert only(found, "AWS::EC2::VPCEndpoint")["ServiceName"] == {"Fn::Sub": meant}


def test_endpoint_when_it_is_a_gateway_then_the_type_that_makes_those_is_named() -> None:
    with pytest.raises(CoreError, match="AWS::Network makes gateways"):
        made("AWS::VPCEndpoint", {"Endpoint": {"Properties": {"ServiceName": "s3", "VpcEndpointType": "Gateway"}}})


@pytest.mark.parametrize("inside", [True, False])
def test_endpoint_when_written_without_its_key_then_it_is_the_same_endpoint(inside: bool) -> None:
    grant = {"Pipeline::Security": [{"Source": "office", "Allow": "TCP:443"}]}
    properties = {"ServiceName": "secretsmanager"}
    short = {"Properties": properties | grant} if inside else {"Properties": properties} | grant
    found, usual = made("AWS::VPCEndpoint", short), made("AWS::VPCEndpoint", {"Endpoint": {"Properties": properties} | grant})
    for stage in ("resources", "rules-base"):
        assert template(found, "it", stage) == template(usual, "it", stage)


def test_endpoint_when_a_property_is_wrong_without_its_key_then_the_place_is_told() -> None:
    with pytest.raises(CoreError, match=r"Endpoint\.ServiceNme: there is no such property of AWS::EC2::VPCEndpoint") as told:
        made("AWS::VPCEndpoint", {"Properties": {"ServiceNme": "s3"}})
    assert "ServiceName" in f"{told.value} {told.value.hint}"


def test_aliases_when_released_then_they_lead_to_the_released_build() -> None:
    aliases = [{"Value": "a.shop.example.org"}, "b.shop.example.org"]
    found = made("AWS::VPCEndpoint", {"Endpoint": {"Properties": {"ServiceName": "s3", "Aliases": aliases}}})
    records = {record["Name"]: record for record in resources_of(found, "it", "AWS::Route53::RecordSet", "release")}
    assert {"a.shop.example.org", "b.shop.example.org"} < set(records)
    assert records["a.shop.example.org"]["ResourceRecords"] == ["it.main-7.web.shop.shop.example.org"]


# websites


def site(
    config: Mapping[str, Any] | None = None, more: Mapping[str, Any] | None = None, security: Any = None, **facts: Any
) -> Built:
    distribution = {"Properties": {"DistributionConfig": config or {}}} | ({"Pipeline::Security": security} if security else {})
    return made("AWS::StaticWebsite", {"Distribution": distribution, **(more or {})}, **facts)


@pytest.mark.parametrize(("word", "asked"), [(True, True), ("true", True), (False, False), ("false", False), (None, True)])
def test_website_when_its_addresses_need_not_shut_others_out_then_nobody_is_asked(word: object, asked: bool) -> None:
    beside = {} if word is None else {"DefaulWafWebAclBlock": word}
    entry = {"Properties": {}, "Pipeline::Security": [{"Source": "office", "Allow": "TCP:443"}], **beside}
    found = made("AWS::StaticWebsite", {"Distribution": entry})
    assert bool(resources_of(found, "it", "AWS::CloudFront::Function")) is asked


def test_website_when_the_word_beside_its_properties_is_no_answer_then_it_is_refused() -> None:
    with pytest.raises(CoreError, match="DefaulWafWebAclBlock: must be"):
        made("AWS::StaticWebsite", {"Distribution": {"Properties": {}, "DefaulWafWebAclBlock": "maybe"}})


def distribution(found: Built) -> Mapping[str, Any]:
    config: Mapping[str, Any] = only(found, "AWS::CloudFront::Distribution")["DistributionConfig"]
    return config


def test_website_when_deployed_then_files_are_copied_and_the_cache_is_told_in_this_order() -> None:
    files, invalidate = site().components["it"].steps["deploy"]
    assert (files.kind, files.after) == ("AWS::SyncFiles", "resources")
    assert files.spec["SourcePrefix"] == "files/shop/web/main/7/it/"
    assert files.spec["Delete"] is True
    assert files.spec["BucketName"] == "{{ outputs.resources.ContentBucketName }}"
    assert (invalidate.kind, invalidate.after) == ("AWS::CreateCloudFrontInvalidation", "files")


@pytest.mark.parametrize(("asked", "given"), [("allow-all", "redirect-to-https"), ("https-only", "https-only")])
def test_behaviors_when_they_would_take_plain_http_then_they_redirect(asked: str, given: str) -> None:
    behaviors = [{"PathPattern": "/a/*", "ViewerProtocolPolicy": asked}]
    found = distribution(site({"DefaultCacheBehavior": {"ViewerProtocolPolicy": asked}, "CacheBehaviors": behaviors}))
    assert found["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == given
    assert found["CacheBehaviors"][0]["ViewerProtocolPolicy"] == given


@pytest.mark.parametrize(("asked", "given"), [("TLSv1", "TLSv1.2_2021"), ("TLSv1.3_2025", "TLSv1.3_2025")])
def test_tls_when_an_old_version_is_asked_for_then_it_is_1_2_all_the_same(asked: str, given: str) -> None:
    certificate = {"AcmCertificateArn": CERTIFICATE, "MinimumProtocolVersion": asked}
    assert distribution(site({"ViewerCertificate": certificate}))["ViewerCertificate"]["MinimumProtocolVersion"] == given


def test_behavior_when_it_caches_in_the_old_way_then_no_cache_policy_is_added() -> None:
    found = distribution(site({"DefaultCacheBehavior": {"ForwardedValues": {"QueryString": True}, "DefaultTTL": 60}}))
    assert "CachePolicyId" not in found["DefaultCacheBehavior"]
    assert found["DefaultCacheBehavior"]["ForwardedValues"] == {"QueryString": True}


def test_website_when_addresses_are_listed_then_a_function_lets_only_these_in() -> None:
    found = site(security=[{"Source": ["office", "203.0.113.0/24"], "Allow": ["TCP:443"]}])
    code = only(found, "AWS::CloudFront::Function")["FunctionCode"]
    assert code.startswith('var allowed = ["198.51.100.0/24","203.0.113.0/24"];')
    (association,) = distribution(found)["DefaultCacheBehavior"]["FunctionAssociations"]
    assert association["EventType"] == "viewer-request"


def test_website_when_opened_to_something_without_an_address_then_it_is_refused() -> None:
    with pytest.raises(CoreError, match="can be opened to addresses only"):
        site(security=[{"Source": "fn", "Allow": ["TCP:443"]}])


def test_website_when_a_function_of_its_own_stands_where_addresses_are_checked_then_it_is_refused() -> None:
    own = [{"EventType": "viewer-request", "LambdaFunctionARN": "arn:aws:lambda:us-east-1:111111111111:function:x:1"}]
    with pytest.raises(CoreError, match="move yours to origin-request"):
        site({"DefaultCacheBehavior": {"LambdaFunctionAssociations": own}}, security=[{"Source": "office", "Allow": ["TCP:443"]}])


def test_firewall_when_outside_us_east_1_then_it_has_to_be_given_by_its_arn() -> None:
    with pytest.raises(CoreError, match="CloudFront takes web ACLs of us-east-1 only, and this deployment is in eu-west-1"):
        site({"WafEnable": True})
    arn = "arn:aws:wafv2:us-east-1:111111111111:global/webacl/x/12345678-1234-1234-1234-123456789012"
    assert distribution(site({"WafEnable": True}, {"WAF": {"Properties": {"WebACLArn": arn}}}))["WebACLId"] == arn


def test_firewall_when_in_us_east_1_then_it_is_made_with_the_usual_rules() -> None:
    found = site({"WafEnable": True}, AwsRegion="us-east-1")
    acl = only(found, "AWS::WAFv2::WebACL")
    assert acl["Scope"] == "CLOUDFRONT"
    assert [rule["Priority"] for rule in acl["Rules"]] == [0, 1, 2]
    assert distribution(found)["WebACLId"] == {"Fn::GetAtt": ["WebAcl", "Arn"]}


def test_names_when_they_lie_in_the_hosted_zone_then_they_get_their_record_with_the_release() -> None:
    found = site(
        {"Aliases": ["www.shop.example.org", "www.elsewhere.example"], "ViewerCertificate": {"AcmCertificateArn": OTHER}}
    )
    names = [record["Name"] for record in resources_of(found, "it", "AWS::Route53::RecordSet", "release")]
    assert names == ["www.shop.example.org"]


# APIs


def http_api(**entries: Mapping[str, Any]) -> Built:
    return made("AWS::ApiGateway::HttpApi", {"Api": {}, **{key: {"Properties": value} for key, value in entries.items()}})


FN = {"Fn::Pipeline::LambdaArn": {"Component": "fn", "Scope": "build"}}


@pytest.mark.parametrize(("written", "given"), [({}, "AWS_IAM"), ({"AuthorizationType": "NONE"}, "NONE")])
def test_route_when_nothing_is_said_then_callers_sign_with_iam(written: Mapping[str, Any], given: str) -> None:
    found = http_api(ListRoute={"RouteKey": "GET /a", "Function": FN, **written})
    assert only(found, "AWS::ApiGatewayV2::Route")["AuthorizationType"] == given
    assert only(found, "AWS::Lambda::Permission")["Principal"] == "apigateway.amazonaws.com"


def test_route_when_its_authorizer_is_not_there_then_it_is_refused_and_not_left_open() -> None:
    with pytest.raises(CoreError, match="ListRoute names the authorizer Tokens"):
        http_api(ListRoute={"RouteKey": "GET /a", "Function": FN, "Authorizer": "Tokens"})


def test_api_when_released_then_the_branch_address_leads_to_the_released_build() -> None:
    names = {"CertificateArn": CERTIFICATE, "Names": ["api.elsewhere.example"]}
    found = http_api(ListRoute={"RouteKey": "GET /a", "Function": FN}, DomainName=names)
    domains = [each["DomainName"] for each in resources_of(found, "it", "AWS::ApiGatewayV2::DomainName", "release")]
    assert domains == ["it.main.web.shop.shop.example.org", "api.elsewhere.example"]
    mapping = resources_of(found, "it", "AWS::ApiGatewayV2::ApiMapping", "release")[0]
    assert mapping["ApiId"] == {"Ref": "ResourcesApiId"}
    assert found.components["it"].stages["release"].parameters["ResourcesApiId"] == Wire("it", "resources", "ApiId")
    assert only(found, "AWS::ApiGatewayV2::Api")["DisableExecuteApiEndpoint"] is True


def rest_api(path: str, **more: Any) -> Built:
    method = {"Properties": {"Path": path, "HttpMethod": "GET", "Function": FN, **more}}
    return made("AWS::ApiGateway::RestApi", {"RestApi": {}, "ListMethod": method})


def test_paths_when_they_share_a_beginning_then_each_part_is_made_once() -> None:
    parts = [each["PathPart"] for each in resources_of(rest_api("/a/b/{id}"), "it", "AWS::ApiGateway::Resource")]
    assert parts == ["a", "b", "{id}"]
    assert resources_of(rest_api("/"), "it", "AWS::ApiGateway::Resource") == []


def test_deployment_when_what_callers_see_changes_then_it_is_a_new_one_and_else_the_same() -> None:
    def deployment(found: Built) -> Any:
        return only(found, "AWS::ApiGateway::Stage")["DeploymentId"]

    assert deployment(rest_api("/a")) == deployment(rest_api("/a"))
    assert deployment(rest_api("/a")) != deployment(rest_api("/b"))
    assert deployment(rest_api("/a")) != deployment(rest_api("/a", ApiKeyRequired=True))


def test_rest_api_when_it_has_neither_methods_nor_a_body_then_it_is_refused() -> None:
    with pytest.raises(CoreError, match="needs methods, or an OpenAPI document"):
        made("AWS::ApiGateway::RestApi", {"RestApi": {}})


# certificates and roles


def test_certificate_when_it_has_no_name_then_it_is_for_the_released_address_and_proven_in_the_hosted_zone() -> None:
    found = only(made("AWS::ACM::Certificate", {"Certificate": {}}), "AWS::CertificateManager::Certificate")
    assert found["DomainName"] == "it.main.web.shop.shop.example.org"
    assert found["DomainValidationOptions"] == [{"DomainName": found["DomainName"], "HostedZoneId": "Z0123456789ABCDEFGHIJ"}]


def test_certificate_when_it_has_neither_name_nor_zone_then_it_is_refused() -> None:
    with pytest.raises(CoreError, match="needs a DomainName"):
        made("AWS::ACM::Certificate", {"Certificate": {}}, HostedZoneName=None)


def test_authority_when_it_is_below_another_then_its_parent_signs() -> None:
    parent = "arn:aws:acm-pca:eu-west-1:111111111111:certificate-authority/12345678-1234-1234-1234-123456789012"
    configuration = {
        "CertificateAuthority": {"Properties": {"Type": "SUBORDINATE"}},
        "Certificate": {"Properties": {"CertificateAuthorityArn": parent}},
    }
    found = only(made("AWS::ACMPCA::CertificateAuthority", configuration), "AWS::ACMPCA::Certificate")
    assert found["CertificateAuthorityArn"] == parent
    assert found["TemplateArn"]["Fn::Sub"].endswith("SubordinateCACertificate_PathLen0/V1")
    with pytest.raises(CoreError, match="the ARN of its parent"):
        made("AWS::ACMPCA::CertificateAuthority", {"CertificateAuthority": configuration["CertificateAuthority"]})
