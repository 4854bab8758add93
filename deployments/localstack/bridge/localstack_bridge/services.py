"""Services that the community core has no provider for, handed over to the moto that LocalStack carries with it."""

from collections.abc import Callable

from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import _proxy_moto
from localstack.services.plugins import Service, aws_provider


def _handed_to_moto(api: str) -> Callable[[], Service]:
    """A provider plugin for one service in which every operation goes to moto; LocalStack passes the account along."""

    def provider() -> Service:
        operations = load_service(api).operation_names
        return Service(name=api, skeleton=Skeleton(load_service(api), dict.fromkeys(operations, _proxy_moto)))

    provider.__name__ = api.replace("-", "_")
    return aws_provider(api=api)(provider)


account = _handed_to_moto("account")
autoscaling = _handed_to_moto("autoscaling")
backup = _handed_to_moto("backup")
budgets = _handed_to_moto("budgets")
cloudtrail = _handed_to_moto("cloudtrail")
codebuild = _handed_to_moto("codebuild")
codecommit = _handed_to_moto("codecommit")
codepipeline = _handed_to_moto("codepipeline")
ecr = _handed_to_moto("ecr")
ecs = _handed_to_moto("ecs")
eks = _handed_to_moto("eks")
elbv2 = _handed_to_moto("elbv2")
guardduty = _handed_to_moto("guardduty")
identitystore = _handed_to_moto("identitystore")
organizations = _handed_to_moto("organizations")
ram = _handed_to_moto("ram")
rds = _handed_to_moto("rds")
securityhub = _handed_to_moto("securityhub")
service_quotas = _handed_to_moto("service-quotas")
servicecatalog = _handed_to_moto("servicecatalog")
sso_admin = _handed_to_moto("sso-admin")
