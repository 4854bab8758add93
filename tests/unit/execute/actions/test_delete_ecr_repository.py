"""AWS::DeleteEcrRepository, with a scripted registry."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from core_lib.execute import Done, Failed
from core_lib.execute.actions.delete_ecr_repository import DeleteEcrRepository
from core_lib.framework.models import Target
from tests.builders.contexts import ACCOUNT, context_of
from tests.builders.scripted import refusal, scripted

KIND = "AWS::DeleteEcrRepository"
ACTION = DeleteEcrRepository()


def test_repository_when_deleted_then_its_images_go_with_it_and_only_in_the_own_registry() -> None:
    client = scripted("ecr", delete_repository={})
    assert ACTION.start(context_of(KIND, {"ecr": client}, RepositoryName="shop/web")) == Done(message="deleted")
    assert client.calls == [("delete_repository", {"registryId": ACCOUNT, "repositoryName": "shop/web", "force": True})]


def test_repository_when_absent_then_that_is_fine() -> None:
    client = scripted("ecr", delete_repository=refusal("RepositoryNotFoundException"))
    done = ACTION.start(context_of(KIND, {"ecr": client}, RepositoryName="shop/web"))
    assert isinstance(done, Done)
    assert not done.changed


def test_repository_when_it_has_images_and_force_is_off_then_it_stays_with_a_hint() -> None:
    client = scripted("ecr", delete_repository=refusal("RepositoryNotEmptyException"))
    failed = ACTION.start(context_of(KIND, {"ecr": client}, RepositoryName="shop/web", Force=False))
    assert isinstance(failed, Failed)
    assert "Force: true" in (failed.hint or "")


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_repository_when_the_registry_says_no_then_the_engine_judges_it(code: str) -> None:
    client = scripted("ecr", delete_repository=refusal(code))
    with pytest.raises(ClientError, match=code):
        ACTION.start(context_of(KIND, {"ecr": client}, RepositoryName="shop/web"))


def test_scope_when_the_name_is_an_expression_then_it_covers_all_repositories() -> None:
    target = Target(account=ACCOUNT, region="eu-west-1")
    named = DeleteEcrRepository.scope({"RepositoryName": "shop/web"}, target, "aws")
    open_ended = DeleteEcrRepository.scope({"RepositoryName": "{{ outputs.a.Name }}"}, target, "aws")
    assert named == {"ecr:*": (f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/shop/web",)}
    assert open_ended == {"ecr:*": (f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/*",)}
