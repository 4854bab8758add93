"""Every function, by what it gives."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.component.functions import FUNCTIONS, Environment, Resolved, resolve_functions
from core_lib.component.model import Wire
from core_lib.component.wires import wired
from core_lib.framework.codecs import dump_yaml
from core_lib.framework.errors import CompileError, CoreError, ReferenceFault, SchemaError
from tests.builders.component_facts import component_facts
from tests.builders.written import written

FILES = {"orders.zip": b"code", "lib/ä b.txt": b"text"}
OTHERS = """
orders: {Type: Test::Table, Configuration: {Table: {}}}
prices: {Type: Test::Function, Configuration: {Function: {}}}
uploads: {Type: Test::Bucket, Configuration: {Bucket: {}}}
kept: {Type: Test::Bucket, Persist: true, Configuration: {Bucket: {}}}
stack: {Type: Test::Anything}
"""
OWN = "7"


def resolved(properties: Any, files: dict[str, bytes] | None = None, **facts: Any) -> Resolved:
    """A server with these properties, after its functions."""
    server = {"web": {"Type": "Test::Server", "Configuration": {"Server": {"Properties": properties}, "DataVolume": {}}}}
    known = component_facts(**facts)
    components = written(OTHERS + dump_yaml(server), **facts)
    environment = Environment(known, components, FILES if files is None else files)
    return resolve_functions(components["web"], environment)


def given(call: dict[str, Any], **facts: Any) -> Any:
    """What a function becomes."""
    ((name, arguments),) = call.items()
    found = resolved({"P": {f"Fn::Pipeline::{name}": arguments}}, **facts)
    return found.component.entries["Server"].properties["P"]


def refused(call: dict[str, Any], **facts: Any) -> CoreError:
    with pytest.raises(CoreError) as raised:
        given(call, **facts)
    return raised.value


def imported(name: str) -> dict[str, str]:
    return {"Fn::ImportValue": f"acme:{name}"}


HERE = "prn:shop:web:main:*"
FOREIGN = {"App": "x", "Component": "y", "OutputName": "z"}
SECOND = {"Fn::ImportValue": "acme:Private2Id"}
PRIVATE = [imported(f"Private{number}Id") for number in (1, 2, 3)]
BUCKET = "shop-web-main-7-uploads-"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"ImageId": {"Name": "amazon-linux-2023"}}, "ami-0123456789abcdef0"),
        ({"ImageId": "amazon-linux-2023"}, "ami-0123456789abcdef0"),
        ({"ImageId": {"Name": "ami-1"}}, "ami-1"),
        ({"ImageId": {"Name": "/aws/service/ami/x"}}, "{{resolve:ssm:/aws/service/ami/x}}"),
        ({"SnapshotId": {"Name": "disk"}}, "snap-0123456789abcdef0"),
        ({"SnapshotId": {"Name": "snap-1"}}, "snap-1"),
        ({"DockerImage": {"Name": "nginx"}}, "public.ecr.aws/nginx/nginx:1.27"),
        ({"DockerImage": {"Name": "tools/cron:2"}}, "111111111111.dkr.ecr.eu-west-1.amazonaws.com/tools/cron:2"),
        ({"DockerImage": {"Name": "localhost/x"}}, "localhost/x"),
        ({"DockerImage": {}}, "111111111111.dkr.ecr.eu-west-1.amazonaws.com/private/shop-web-main-7-web"),
        ({"DockerImage": {"Component": "prices"}}, "111111111111.dkr.ecr.eu-west-1.amazonaws.com/private/shop-web-main-7-prices"),
        ({"SubnetId": {"NetworkZone": "private", "AzIndex": 1}}, SECOND),
        ({"SubnetId": {"network_zone": "private", "az_index": "1"}}, SECOND),
        ({"SubnetId": {}}, PRIVATE[0]),
        ({"SubnetIds": {"NetworkZone": "private"}}, PRIVATE),
        ({"LambdaVpcConfig": {"VpcAccess": False}}, {"Ref": "AWS::NoValue"}),
        (
            {"LambdaVpcConfig": {"VpcAccess": "true"}},
            {"SecurityGroupIds": [{"Ref": "SecurityGroupId"}], "SubnetIds": PRIVATE},
        ),
        ({"FileS3Key": {"Path": "a/b.sh", "Scope": "shared"}}, "files/shared/a/b.sh"),
        ({"FileS3Key": {"Path": "a/b.sh", "Scope": "portfolio"}}, "files/shop/a/b.sh"),
        ({"FileS3Key": {"Path": "a/b.sh", "Scope": "app"}}, "files/shop/web/a/b.sh"),
        ({"FileS3Key": {"Path": "a/b.sh", "Scope": "branch"}}, "files/shop/web/main/a/b.sh"),
        ({"FileUrl": {"Path": "a b.sh", "Scope": "shared"}}, "https://acme-files.s3.eu-west-1.amazonaws.com/files/shared/a%20b.sh"),
        ({"GetOutput": {"Component": "orders", "OutputName": "TableArn"}}, wired(Wire("orders", "resources", "TableArn"))),
        ({"GetOutput": {"Component": "stack", "OutputName": "Any"}}, wired(Wire("stack", "resources", "Any"))),
        (
            {"GetOutput": {"Component": "orders", "OutputName": "TableArn", "Scope": "release"}},
            wired(Wire(f"{HERE}:orders", "release", "TableArn")),
        ),
        (
            {"GetOutput": {"App": "billing", "Component": "x", "OutputName": "Y"}},
            wired(Wire("prn:shop:billing:main:*:x", "release", "Y")),
        ),
        (
            {"GetOutput": {"Portfolio": "pay", "App": "ledger", "Branch": "Feature/A", "Component": "x", "OutputName": "Y"}},
            wired(Wire("prn:pay:ledger:feature-a:*:x", "release", "Y")),
        ),
        ({"LambdaArn": {"Component": "prices"}}, wired(Wire("prices", "resources", "FunctionArn"))),
        ({"LambdaArn": {"Component": "prices", "Scope": "release"}}, wired(Wire(f"{HERE}:prices", "release", "ReleaseArn"))),
        ({"S3BucketName": {"Component": "kept"}}, wired(Wire("kept", "resources", "BucketName"))),
    ],
)  # fmt: skip
def test_function_when_it_is_written_well_then_it_becomes_a_value(call: dict[str, Any], expected: Any) -> None:
    assert given(call) == expected


def test_file_of_the_build_when_it_is_named_then_a_copy_that_tells_its_content_is_asked_for() -> None:
    found = resolved(
        {"K": {"Fn::Pipeline::FileS3Key": {"Path": "orders.zip"}}, "U": {"Fn::Pipeline::FileUrl": {"Path": "lib/ä b.txt"}}}
    )
    properties = found.component.entries["Server"].properties
    assert found.copies == {
        "files/shop/web/main/7/_content/5694d08a2e53ffca/orders.zip": "orders.zip",
        "files/shop/web/main/7/_content/982d9e3eb996f559/ä b.txt": "lib/ä b.txt",
    }
    assert properties["K"] == "files/shop/web/main/7/_content/5694d08a2e53ffca/orders.zip"
    assert properties["U"].endswith("/982d9e3eb996f559/%C3%A4%20b.txt")


def test_bucket_name_when_scope_is_branch_then_all_builds_have_the_same() -> None:
    build, branch = given({"S3BucketName": {"Component": "uploads"}}), given({"S3BucketName": {"Scope": "branch"}})
    assert build.startswith("shop-web-main-7-uploads-")
    assert branch.startswith("shop-web-main-web-")
    assert given({"S3BucketName": {"Scope": "branch"}}, Build="8") == branch
    assert given({"S3BucketName": {"Scope": "branch"}}, AwsAccountId="222222222222") != branch


def test_snapshot_when_an_account_is_named_then_its_aliases_are_looked_at() -> None:
    aliases = {"audit": {"orders": "snap-9"}, "orders": "snap-1"}
    assert given({"SnapshotId": {"Name": "orders", "AccountAlias": "audit"}}, SnapshotAliases=aliases) == "snap-9"
    assert given({"SnapshotId": {"Name": "orders"}}, SnapshotAliases=aliases) == "snap-1"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"EcrRegistry": "registry.example.org:5000/"}, "registry.example.org:5000/x"),
        ({"AwsRegion": "cn-north-1"}, "111111111111.dkr.ecr.cn-north-1.amazonaws.com.cn/x"),
    ],
)
def test_docker_image_when_the_registry_is_another_then_it_is_in_front(facts: dict[str, Any], expected: str) -> None:
    assert given({"DockerImage": "x"}, **facts) == expected


@pytest.mark.parametrize("call", [{"FileS3Key": {"Path": "orders.zip"}}, {"FileUrl": {"Path": "orders.zip"}}])
def test_file_when_there_is_no_bucket_then_the_error_says_where_one_comes_from(call: dict[str, Any]) -> None:
    error = refused(call, FilesBucketName=None, FilesBucketUrl=None)
    assert "the fact FilesBucketName is not known" in error.message
    assert "--fact FilesBucketName=NAME" in str(error.hint)


@pytest.mark.parametrize(
    ("call", "words", "advice", "kind"),
    [
        ({"ImageId": {"Name": "amazon-linux-2032"}}, "no image alias 'amazon-linux-2032'", "amazon-linux-2023?", CompileError),
        ({"ImageId": {}}, "Name is missing", "it takes Name", SchemaError),
        ({"ImageId": {"Nmae": "x"}}, "unknown key 'Nmae'; did you mean Name?", None, SchemaError),
        ({"ImageId": [1]}, "takes a map of arguments, not a list", None, SchemaError),
        ({"ImageId": {"Name": {"Ref": "X"}}}, "Name must be text that is known", None, SchemaError),
        ({"SnapshotId": {"Name": "ordres"}}, "no snapshot alias 'ordres'", "orders?", CompileError),
        ({"SnapshotId": {"Name": "orders", "AccountAlias": "x"}}, "no account alias", "none", CompileError),
        ({"SubnetId": {"NetworkZone": "privat", "AzIndex": 1}}, "no network zone", "private?", CompileError),
        ({"SubnetId": {"NetworkZone": "private", "AzIndex": 3}}, "a number from 0 to 2, not '3'", "AzCount", SchemaError),
        ({"FileS3Key": {"Path": "order.zip"}}, "'order.zip'", "orders.zip?", CompileError),
        ({"FileS3Key": {"Path": "../x", "Scope": "shared"}}, "leaves the package", None, SchemaError),
        ({"FileUrl": {"Path": "x", "Scope": "world"}}, "'world' is no Scope", "one of shared, portfolio", SchemaError),
        ({"GetOutput": {"Component": "oders", "OutputName": "TableArn"}}, "no component 'oders'", "orders?", ReferenceFault),
        ({"GetOutput": {"Component": "orders", "OutputName": "TableAn"}}, "no output of orders", "TableArn?", ReferenceFault),
        ({"GetOutput": {"Component": "web", "OutputName": "ServerId"}}, "cannot wait for itself", "Ref or", ReferenceFault),
        ({"GetOutput": FOREIGN | {"Scope": "build"}}, "what is released", "release", ReferenceFault),
        ({"GetOutput": {"App": "x!", "Component": "y", "OutputName": "z"}}, "app segment 'x!'", None, SchemaError),
        ({"LambdaArn": {"Component": "orders"}}, "no output of orders .*'FunctionArn'", None, ReferenceFault),
        ({"LambdaVpcConfig": {"VpcAccess": "perhaps"}}, "VpcAccess must be true or false", None, SchemaError),
        ({"S3BucketName": {"Component": "upload"}}, "no component 'upload'", "uploads?", ReferenceFault),
        ({"GeneratePassword": {"Anything": 16}}, "passwords are not generated", "Secret", SchemaError),
        ({"GetOuput": {}}, "no function 'Fn::Pipeline::GetOuput'", "Fn::Pipeline::GetOutput?", SchemaError),
        ({"Wire": ["a", "b", "c"]}, "no function 'Fn::Pipeline::Wire'", None, SchemaError),
        ({"StageOutput": "logs.X"}, "no function 'Fn::Pipeline::StageOutput'", None, SchemaError),
    ],
)  # fmt: skip
def test_function_when_it_is_wrong_then_the_error_says_what_where_and_what_to_do(
    call: dict[str, Any], words: str, advice: str | None, kind: type[CoreError]
) -> None:
    error = refused(call)
    assert type(error) is kind
    with pytest.raises(type(error), match=words):
        raise error
    assert "web: " in error.message
    assert str(error.where).startswith("platform/components/app.yaml:")
    assert advice is None or advice in str(error.hint)


def test_subnets_when_their_exports_have_no_namespace_then_the_fact_is_named() -> None:
    error = refused({"SubnetIds": "private"}, ResourceNamespace=None)
    assert "ResourceNamespace is not known" in error.message


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_every_function_tells_what_it_is_for_and_how_it_is_written(function: Any) -> None:
    assert function.purpose.endswith(".")
    assert all(argument.purpose.endswith(".") for argument in function.arguments)
    assert set(function.example) <= {argument.name for argument in function.arguments}
    assert {argument.name for argument in function.arguments if argument.required} <= set(function.example)
