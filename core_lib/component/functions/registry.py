"""All functions by name."""

from __future__ import annotations

from collections.abc import Mapping

from core_lib.component.functions.docker_image import DockerImage
from core_lib.component.functions.file_s3_key import FileS3Key
from core_lib.component.functions.file_url import FileUrl
from core_lib.component.functions.function import PREFIX, Function
from core_lib.component.functions.get_output import GetOutput
from core_lib.component.functions.image_id import ImageId
from core_lib.component.functions.lambda_arn import LambdaArn
from core_lib.component.functions.lambda_vpc_config import LambdaVpcConfig
from core_lib.component.functions.s3_bucket_name import S3BucketName
from core_lib.component.functions.snapshot_id import SnapshotId
from core_lib.component.functions.subnet_id import SubnetId
from core_lib.component.functions.subnet_ids import SubnetIds

_ALL: tuple[Function, ...] = (
    DockerImage(), FileS3Key(), FileUrl(), GetOutput(), ImageId(), LambdaArn(), LambdaVpcConfig(),
    S3BucketName(), SnapshotId(), SubnetId(), SubnetIds(),
)  # fmt: skip
FUNCTIONS: Mapping[str, Function] = {function.name: function for function in _ALL}

REFUSED: Mapping[str, tuple[str, str]] = {
    "GeneratePassword": (
        "passwords are not generated into templates, where everybody who may look at the stack could read them",
        "leave it out: databases get a generated secret; for others there is the type AWS::SecretsManager::Secret",
    )
}
"""Functions of the reference system that there are not, with why and what to do instead."""

__all__ = ["FUNCTIONS", "PREFIX", "REFUSED"]
