"""AWS::KMS::CreateGrants with a small KMS in memory: pages of grants, calls that may be repeated, principals not known yet."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from core_lib.execute import Again, Done, Failed, validate_spec
from core_lib.execute.actions.kms_create_grants import GRANTS_PER_STEP, MOST_TIMES_UNKNOWN, KmsCreateGrants
from core_lib.framework.errors import SchemaError
from core_lib.framework.models import Target
from tests.builders.contexts import ACCOUNT, context_of
from tests.builders.scripted import names, refusal, scripted
from tests.builders.steps import drive, undo

ACTION = KmsCreateGrants()
KIND = "AWS::KMS::CreateGrants"
KEY = "arn:aws:kms:eu-central-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLES = [f"arn:aws:iam::222222222222:role/r{number}" for number in range(3)]


class Kms:
    """One key; `unknown` principals are refused so many times, `denied` ones for ever."""

    def __init__(self) -> None:
        self.grants: dict[str, dict[str, Any]] = {}
        self.unknown: dict[str, int] = {}
        self.denied: set[str] = set()
        self.client = scripted("kms", list_grants=self.list, create_grant=self.create, revoke_grant=self.revoke)

    def list(self, KeyId: str, Marker: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803 - KMS's names
        assert KeyId == KEY
        first, shown = int(Marker), list(self.grants.values())
        return {"Grants": shown[first : first + 1], "Truncated": first + 1 < len(shown)} | (
            {"NextMarker": str(first + 1)} if first + 1 < len(shown) else {}
        )

    def create(self, GranteePrincipal: str, Name: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - KMS's names
        if self.unknown.get(GranteePrincipal, 0):
            self.unknown[GranteePrincipal] -= 1
            raise refusal("InvalidArnException", "ARN does not refer to a valid principal")
        if GranteePrincipal in self.denied:
            raise refusal("AccessDeniedException")
        found = next((grant for grant in self.grants.values() if grant["Name"] == Name), None)
        identity = found["GrantId"] if found else f"g{len(self.grants) + 1}"
        self.grants[identity] = {"GrantId": identity, "Name": Name, "GranteePrincipal": GranteePrincipal}
        return {"GrantId": identity, "GrantToken": "secret"}

    def revoke(self, GrantId: str, **_: Any) -> None:  # noqa: N803 - KMS's names
        if GrantId not in self.grants:
            raise refusal("NotFoundException")
        del self.grants[GrantId]

    def contexts(self, principals: Any = ROLES, **params: Any) -> Any:
        spec = {"KmsKeyArn": KEY, "GranteePrincipals": principals, "Operations": ["Encrypt", "Decrypt"]} | params
        return lambda scratch: context_of(KIND, {"kms@eu-central-1": self.client}, scratch=scratch, **spec)


def test_grants_when_made_then_every_principal_has_one_in_the_region_of_the_key() -> None:
    kms = Kms()
    done, scratch = drive(ACTION, kms.contexts())
    assert isinstance(done, Done)
    assert done.outputs == {"GrantIds": dict(zip(ROLES, ("g1", "g2", "g3"), strict=True)), "FailedGrants": {}}
    assert done.changed
    assert "secret" not in str((scratch, done))


def test_grants_when_there_already_then_pages_are_looked_through_and_nothing_is_made() -> None:
    kms = Kms()
    drive(ACTION, kms.contexts())
    kms.client.calls.clear()
    done, _ = drive(ACTION, kms.contexts())
    assert isinstance(done, Done)
    assert not done.changed
    assert names(kms.client) == ["list_grants"] * 3


def test_grants_when_something_else_is_granted_then_it_is_another_grant() -> None:
    kms = Kms()
    drive(ACTION, kms.contexts())
    drive(ACTION, kms.contexts(Operations=["Decrypt"]))
    drive(ACTION, kms.contexts(EncryptionContextSubset={"app": "shop"}))
    assert len(kms.grants) == 9


def test_grants_when_killed_between_the_call_and_the_ledger_then_no_second_ones_are_made_and_undo_knows_them() -> None:
    kms = Kms()
    first = ACTION.start(kms.contexts()({}))
    assert isinstance(first, Again)
    scratch = dict(first.scratch or {})
    ACTION.check(kms.contexts()(scratch))
    assert isinstance(ACTION.check(kms.contexts()(scratch)), Done)
    assert len(kms.grants) == 3
    undo(ACTION, kms.contexts(), scratch)
    assert kms.grants == {}


@pytest.mark.undo("AWS::KMS::CreateGrants")
def test_undo_when_some_had_one_before_then_only_the_new_ones_are_revoked() -> None:
    kms = Kms()
    drive(ACTION, kms.contexts(ROLES[0]))
    _, scratch = drive(ACTION, kms.contexts())
    assert undo(ACTION, kms.contexts(), scratch) == Done(changed=True)
    assert [grant["GranteePrincipal"] for grant in kms.grants.values()] == [ROLES[0]]


def test_undo_when_there_are_many_then_it_takes_several_steps() -> None:
    kms = Kms()
    many = [f"arn:aws:iam::222222222222:role/r{number}" for number in range(2 * GRANTS_PER_STEP + 5)]
    done, scratch = drive(ACTION, kms.contexts(many))
    assert isinstance(done, Done)
    assert len(kms.grants) == len(many)
    undo(ACTION, kms.contexts(many), scratch)
    assert kms.grants == {}


def test_principal_when_kms_does_not_know_it_yet_then_it_is_tried_again() -> None:
    kms = Kms()
    kms.unknown = {ROLES[1]: 3}
    done, _ = drive(ACTION, kms.contexts())
    assert isinstance(done, Done)
    assert set(done.outputs["GrantIds"]) == set(ROLES)


@pytest.mark.parametrize("ignore", [False, True, "true"])
def test_principal_when_it_never_gets_one_then_ignoring_decides_and_it_is_named(ignore: Any) -> None:
    kms = Kms()
    kms.unknown = {ROLES[1]: MOST_TIMES_UNKNOWN + 5}
    kms.denied = {ROLES[2]}
    last, _ = drive(ACTION, kms.contexts(IgnoreFailedGrants=ignore))
    assert isinstance(last, Done if ignore else Failed)
    assert ROLES[1] in (last.message or "")
    assert ROLES[2] in (last.message or "")
    if isinstance(last, Done):
        assert set(last.outputs["FailedGrants"]) == {ROLES[1], ROLES[2]}


@pytest.mark.parametrize("code", ["NotFoundException", "ThrottlingException", "AccessDeniedException"])
def test_key_when_kms_says_no_then_the_engine_judges_it_even_if_failures_are_ignored(code: str) -> None:
    kms = Kms()
    kms.client = scripted("kms", list_grants=refusal(code))
    with pytest.raises(ClientError, match=code):
        ACTION.start(kms.contexts(IgnoreFailedGrants=True)({}))


def test_grants_when_kms_throttles_in_the_middle_then_the_engine_tries_again() -> None:
    kms = Kms()
    kms.client = scripted("kms", list_grants=kms.list, create_grant=refusal("ThrottlingException"))
    with pytest.raises(ClientError, match="Throttling"):
        drive(ACTION, kms.contexts())


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"KmsKeyId": "alias/mine"}, "not for aliases"),
        ({"Operations": ["Read"]}, "unknown operations: Read"),
        ({"GranteePrincipals": []}, "GranteePrincipals"),
    ],
)
def test_spec_when_it_cannot_work_then_it_is_refused(spec: dict[str, Any], problem: str) -> None:
    whole = {"KmsKeyId": "k", "GranteePrincipals": ROLES, "Operations": ["Encrypt"]} | spec
    with pytest.raises(SchemaError, match=problem):
        validate_spec(KIND, whole)


def test_spec_when_an_operation_is_an_expression_then_it_is_accepted_until_run_time() -> None:
    spec = {"KmsKeyId": "{{ outputs.key.Arn }}", "GranteePrincipals": "{{ outputs.a.Arn }}", "Operations": ["{{ vars.x }}"]}
    assert validate_spec(KIND, spec, allow_runtime=True) == spec


def test_scope_when_an_arn_or_an_id_is_given_then_only_that_key_is_in_it() -> None:
    target = Target(account=ACCOUNT, region="eu-west-1")
    assert KmsCreateGrants.scope({"KmsKeyId": KEY}, target, "aws") == {"kms:*": (KEY,)}
    assert KmsCreateGrants.scope({"KmsKeyId": "abc"}, target, "aws") == {"kms:*": (f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/abc",)}
